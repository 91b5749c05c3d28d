//! What each table is in CQL: its clustering columns, and the fields of its value.
//!
//! `topology/tables.toml` and the encodings in `project` say the same; tests compare them.

use crate::project::key::{Col, TableId};
use crate::project::tables;

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub id: TableId,
    /// Without its generation.
    pub name: &'static str,
    /// A partition holds one month.
    pub by_month: bool,
    pub columns: &'static [Column],
    /// Of the value, in the order in which rows are encoded; only ever appended to.
    pub fields: &'static [Field],
}

/// A clustering column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column(pub &'static str, pub Sort);

/// What a clustering column holds and how it sorts, as [`Col`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Int,
    IntDesc,
    Text,
}

/// A field of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field(pub &'static str, pub Type);

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Int,
    Text,
    Varint,
    Texts,
    /// Packed by `project`: CQL has no type for it.
    Blob,
}

impl Shape {
    /// It belongs to no generation, and is changed by `swap` alone.
    pub const fn is_shared(&self) -> bool {
        tables::is_shared(self.id)
    }
}

impl Sort {
    /// The type of the column.
    pub const fn cql(self) -> &'static str {
        match self {
            Self::Int | Self::IntDesc => "bigint",
            Self::Text => "text",
        }
    }

    /// As a column is ordered.
    pub const fn direction(self) -> &'static str {
        match self {
            Self::Int | Self::Text => "ASC",
            Self::IntDesc => "DESC",
        }
    }

    /// As it is ordered when all are read backwards.
    pub const fn reversed(self) -> &'static str {
        match self {
            Self::Int | Self::Text => "DESC",
            Self::IntDesc => "ASC",
        }
    }

    pub const fn is_of(self, col: &Col) -> bool {
        matches!((self, col), (Self::Int, Col::Int(_)) | (Self::IntDesc, Col::IntDesc(_)) | (Self::Text, Col::Text(_)))
    }
}

impl Type {
    pub const fn cql(self) -> &'static str {
        match self {
            Self::Int => "bigint",
            Self::Text => "text",
            Self::Varint => "varint",
            Self::Texts => "frozen<list<text>>",
            Self::Blob => "blob",
        }
    }
}

const fn shape(table: tables::Table, columns: &'static [Column], fields: &'static [Field]) -> Shape {
    Shape { id: table.id, name: table.name, by_month: table.by_month, columns, fields }
}

const CREATOR: Column = Column("creator", Sort::Text);
const AT: Field = Field("at", Type::Int);
const TOTALS: Field = Field("totals", Type::Blob);

/// All projection tables, and those that belong to no generation.
pub const SHAPES: &[Shape] = &[
    shape(
        tables::CREATOR,
        &[CREATOR],
        &[
            AT,
            Field("name", Type::Text),
            Field("currency", Type::Text),
            Field("time_zone", Type::Text),
            Field("clock", Type::Int),
            Field("coverage_start", Type::Int),
            Field("members", Type::Int),
            Field("members_active", Type::Int),
            TOTALS,
            Field("floor", Type::Int),
            Field("pairs", Type::Blob),
            Field("rolled_to", Type::Int),
        ],
    ),
    shape(
        tables::NAME,
        &[CREATOR, Column("kind", Sort::Int), Column("text", Sort::Text)],
        &[AT, Field("n", Type::Int), Field("made_at", Type::Int)],
    ),
    shape(
        tables::MEMBER,
        &[CREATOR, Column("n", Sort::Int)],
        &[
            AT,
            Field("member_id", Type::Text),
            Field("user_id", Type::Text),
            Field("username", Type::Text),
            Field("referral_code", Type::Text),
            Field("status", Type::Text),
            Field("joined_at", Type::Int),
            Field("active_at", Type::Int),
            TOTALS,
            Field("touch", Type::Int),
            Field("streak_end", Type::Int),
            Field("streak_length", Type::Int),
            Field("streak_best", Type::Int),
            Field("scores", Type::Blob),
        ],
    ),
    shape(tables::MEMBER_DAY, &[CREATOR, Column("n", Sort::Int), Column("day", Sort::Int)], &[AT, TOTALS]),
    shape(tables::HOUR, &[CREATOR, Column("hour", Sort::Int), Column("part", Sort::Int)], SERIES),
    shape(tables::DAY, &[CREATOR, Column("day", Sort::Int), Column("part", Sort::Int)], SERIES),
    shape(tables::MONTH, &[CREATOR, Column("month", Sort::Int), Column("part", Sort::Int)], &[AT, TOTALS]),
    shape(
        tables::COMMISSION,
        &[CREATOR, Column("payment_type", Sort::Int), Column("created_at", Sort::IntDesc), Column("id", Sort::Text)],
        COMMISSION,
    ),
    shape(
        tables::LEDGER,
        &[
            CREATOR,
            Column("n", Sort::Int),
            Column("paid", Sort::Int),
            Column("time", Sort::IntDesc),
            Column("id", Sort::Text),
        ],
        COMMISSION,
    ),
    shape(tables::CONVERSION, &[CREATOR, Column("converted_at", Sort::IntDesc), Column("id", Sort::Text)], CONVERSION),
    shape(
        tables::APPLIED,
        &[Column("zero", Sort::Int)],
        &[
            Field("fast", Type::Int),
            Field("slow", Type::Int),
            Field("record_time", Type::Int),
            Field("committed", Type::Int),
        ],
    ),
    shape(tables::TOUCH, &[CREATOR, Column("page", Sort::Int)], &[AT, Field("touches", Type::Blob)]),
    shape(
        tables::COHORT,
        &[CREATOR, Column("joined", Sort::Int), Column("age", Sort::Int)],
        &[AT, Field("members", Type::Int)],
    ),
    shape(
        tables::ACTIVE,
        &[CREATOR, Column("kind", Sort::Int), Column("period", Sort::Int)],
        &[AT, Field("members", Type::Int)],
    ),
    shape(
        tables::RANK,
        &[
            CREATOR,
            Column("measure", Sort::Int),
            Column("window", Sort::Int),
            Column("period", Sort::Int),
            Column("low", Sort::Int),
        ],
        // Of the row that says how far a programme's boards are: a bigint, `rolled_to`.
        &[AT, Field("packed", Type::Blob)],
    ),
    shape(
        tables::DECISION,
        &[CREATOR, Column("subject", Sort::Int), Column("id", Sort::Text), Column("revision", Sort::Int)],
        DECISION,
    ),
    shape(
        tables::REVIEW,
        &[
            CREATOR,
            Column("due", Sort::Int),
            Column("since", Sort::Int),
            Column("subject", Sort::Int),
            Column("id", Sort::Text),
        ],
        DECISION,
    ),
    shape(tables::KEY, &[Column("id", Sort::Text)], KEY),
    shape(
        tables::ALIAS,
        &[Column("zero", Sort::Int)],
        &[
            Field("live", Type::Int),
            Field("former", Type::Int),
            Field("building", Type::Int),
            Field("rate_per_s", Type::Int),
            Field("differences", Type::Int),
            Field("next", Type::Int),
        ],
    ),
];

/// Breakdowns stand in rows of their own, which have `at` and one packed field in the place of `totals`.
const SERIES: &[Field] = &[AT, TOTALS, Field("slots", Type::Blob), Field("groups", Type::Int)];

const COMMISSION: &[Field] = &[
    AT,
    Field("commission_id", Type::Text),
    Field("member_id", Type::Text),
    Field("conversion_id", Type::Text),
    Field("currency", Type::Text),
    Field("payment_type", Type::Int),
    Field("created_at", Type::Int),
    Field("earned", Type::Varint),
    Field("reversed", Type::Varint),
    Field("state", Type::Text),
    Field("paid_amount", Type::Varint),
    Field("paid_at", Type::Int),
    Field("is_derived", Type::Int),
    Field("stated_reversed", Type::Varint),
    Field("is_approved", Type::Int),
    Field("matures_at", Type::Int),
    Field("order_amount", Type::Int),
    Field("order_refunded", Type::Int),
    Field("review", Type::Text),
    Field("is_blocked", Type::Int),
];

const CONVERSION: &[Field] = &[
    AT,
    Field("conversion_id", Type::Text),
    Field("kind", Type::Text),
    Field("converted_at", Type::Int),
    Field("original_id", Type::Text),
    Field("customer_id", Type::Text),
    Field("plan", Type::Text),
    Field("amount", Type::Int),
    Field("currency", Type::Text),
    Field("refunded", Type::Int),
    Field("member_id", Type::Text),
    Field("click_id", Type::Text),
    Field("credit", Type::Text),
    Field("referral_code", Type::Text),
    Field("coupon", Type::Text),
    Field("shared_by", Type::Texts),
    Field("credited_click_id", Type::Text),
    Field("click_at", Type::Int),
    Field("owner_id", Type::Text),
    Field("trail", Type::Texts),
    Field("model", Type::Text),
    Field("is_click_first", Type::Int),
    Field("window_ms", Type::Int),
    Field("is_blocked", Type::Int),
];

const DECISION: &[Field] = &[
    AT,
    Field("decision_id", Type::Text),
    Field("subject_type", Type::Text),
    Field("subject_id", Type::Text),
    Field("revision", Type::Int),
    Field("member_id", Type::Text),
    Field("customer_id", Type::Text),
    Field("click_id", Type::Text),
    Field("conversion_id", Type::Text),
    Field("verdict", Type::Text),
    Field("band", Type::Text),
    Field("score", Type::Int),
    Field("raw_score", Type::Int),
    Field("disposition", Type::Text),
    Field("recommended_action", Type::Text),
    Field("decided_by", Type::Text),
    Field("mode", Type::Text),
    Field("cause", Type::Text),
    Field("previous_id", Type::Text),
    Field("previous_verdict", Type::Text),
    Field("previous_score", Type::Int),
    Field("rule_set_id", Type::Text),
    Field("rule_set_version", Type::Text),
    Field("trigger_event_id", Type::Text),
    Field("trigger_type", Type::Text),
    Field("trigger_offset", Type::Int),
    Field("event_time", Type::Int),
    Field("watermark", Type::Int),
    Field("is_late", Type::Int),
    Field("matures_at", Type::Int),
    Field("is_truncated", Type::Int),
    // JSON.
    Field("evidence", Type::Text),
    Field("bot_lists", Type::Text),
];

const KEY: &[Field] = &[
    Field("name", Type::Text),
    Field("hash", Type::Blob),
    Field("scopes", Type::Blob),
    Field("creators", Type::Blob),
    Field("created_at", Type::Int),
    Field("expires_at", Type::Int),
    Field("revoked_at", Type::Int),
    Field("rate_per_s", Type::Int),
    Field("burst", Type::Int),
];
