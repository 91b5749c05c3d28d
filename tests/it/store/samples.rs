//! A row of every table, with something in every field.

use bytes::Bytes;
use tributary::fold::boards::{BoardKey, Measure, PageHead, Window};
use tributary::ids::{Currency, Millis, Next, Partition};
use tributary::project::access::KeyRow;
use tributary::project::boards::{self, BoardsRow, PageRow, RootRow};
use tributary::project::codec::Writer;
use tributary::project::decisions::DecisionRow;
use tributary::project::key::{Key, Row};
use tributary::project::lists::CountRow;
use tributary::project::rows::{
    AppliedRow, CommissionRow, ConversionRow, CreatorRow, MemberRow, MemberState, NameRow, SeriesRow, Streak, TotalsRow,
};
use tributary::project::tables::{self, GROUPS, NameKind};
use tributary::project::totals::{Money, Totals};
use tributary::store::alias::{Alias, Building};

const P: Partition = Partition(5);
const AT: Next = Next(7);
const T: Millis = Millis(1_760_000_000_000);

fn text(text: &str) -> String {
    text.to_owned()
}

fn eur() -> Currency {
    Currency::parse("EUR").unwrap()
}

fn totals() -> Totals {
    let mut totals = Totals::default();
    totals.counts.clicks_total = 3;
    *totals.money_mut(eur()) = Money { revenue_gross: -5, ..Money::default() };
    totals
}

fn creator() -> Bytes {
    let row = CreatorRow {
        at: AT,
        name: text("Ada"),
        currency: eur(),
        time_zone: text("Europe/Berlin"),
        clock: T,
        coverage_start: T,
        members: 4,
        members_active: 2,
        totals: totals(),
        floor: T,
        pairs: vec![16, 17],
        rolled_to: Some(20_000),
    };
    row.encode()
}

fn member() -> Bytes {
    let row = MemberRow {
        at: AT,
        member_id: text("m"),
        user_id: text("u"),
        username: text("Ünal"),
        referral_code: text("code"),
        status: MemberState::Active,
        joined_at: T,
        active_at: T,
        totals: totals(),
        touch: 9,
        streak: Streak { end: 3, length: 2, best: 2 },
        scores: Vec::new(),
    };
    row.encode()
}

fn series() -> Bytes {
    SeriesRow { at: AT, totals: totals(), slots: vec![(3, totals())], groups: Some(Next(6)) }.encode()
}

fn conversion() -> Bytes {
    let row = ConversionRow {
        at: AT,
        conversion_id: text("v"),
        kind: text("purchase"),
        converted_at: T,
        original_id: text("o"),
        customer_id: text("c"),
        plan: text("pro"),
        amount: -4,
        currency: eur(),
        refunded: 1,
        member_id: text("m"),
        click_id: text("k"),
        credit: text("click"),
        referral_code: text("code"),
        coupon: text("coupon"),
        shared_by: vec![text("m"), String::new()],
        credited_click_id: text("k"),
        click_at: Some(T),
        owner_id: text("w"),
        trail: vec![String::new(), text("won")],
        model: text("last"),
        is_click_first: true,
        window_ms: 5,
        is_blocked: false,
    };
    row.encode()
}

fn commission() -> Bytes {
    let row = CommissionRow {
        at: AT,
        commission_id: text("q"),
        member_id: text("m"),
        conversion_id: text("v"),
        currency: eur(),
        payment_type: 1,
        created_at: T,
        earned: i128::from(i64::MAX) * 3,
        reversed: -129,
        state: text("paid"),
        paid_amount: 0,
        paid_at: Some(T),
        is_derived: true,
        stated_reversed: 128,
        is_approved: true,
        matures_at: Some(T),
        order_amount: Some(1),
        order_refunded: Some(2),
        review: text("approved"),
        is_blocked: false,
    };
    row.encode()
}

fn decision() -> Bytes {
    let row = DecisionRow {
        at: AT,
        decision_id: text("0f"),
        subject_type: text("conversion"),
        subject_id: text("v"),
        revision: 3,
        member_id: text("m"),
        customer_id: text("c"),
        click_id: text("k"),
        conversion_id: text("v"),
        verdict: text("review"),
        band: text("medium"),
        score: 45,
        raw_score: 45,
        disposition: text("countable"),
        action: text("hold"),
        decided_by: text("score"),
        mode: text("live"),
        cause: text("evidence"),
        previous_id: text("0e"),
        previous_verdict: text("approve"),
        previous_score: Some(25),
        rule_set_id: text("guarded-v1"),
        rule_set_version: text("1"),
        trigger_event_id: text("e"),
        trigger_type: text("Conversion"),
        trigger_offset: 6,
        event_time: T,
        watermark: T,
        is_late: false,
        matures_at: Some(T),
        is_truncated: true,
        evidence: text("{}"),
        bot_lists: text("cua-1"),
    };
    row.encode()
}

fn packed() -> Bytes {
    Writer::default().int(7).blob(&[1, 2, 3]).finish()
}

/// Rows of generations.
pub fn rows() -> Vec<Row> {
    let board = BoardKey { measure: Measure(3), window: Window::ALL[0], period: 5 };
    let root = RootRow { at: AT, pages: vec![PageHead { low: 1, bits: 4, members: 2 }] };
    let late = Some(Millis(T.0 + Millis::DAY));
    let all: Vec<(Key, Bytes, Option<Millis>)> = vec![
        (tables::creator(P, "ada"), creator(), None),
        (tables::name(P, "ada", NameKind::Code, "code"), NameRow { at: AT, n: 3, made_at: Some(T) }.encode(), None),
        (tables::member(P, "ada", 3), member(), None),
        (tables::member_day(P, "ada", 3, 20_000), TotalsRow { at: AT, totals: totals() }.encode(), None),
        (tables::hour(P, "ada", 480_000), series(), late),
        (tables::hour_part(P, "ada", 480_000, GROUPS), packed(), late),
        (tables::day(P, "ada", 20_000), series(), None),
        (tables::month(P, "ada", 24_000), TotalsRow { at: AT, totals: totals() }.encode(), None),
        (tables::commission(P, "ada", 1, T, "q"), commission(), None),
        (tables::ledger(P, "ada", 3, true, T, "q"), commission(), None),
        (tables::conversion(P, "ada", T, "v"), conversion(), None),
        (tables::applied(P), AppliedRow { fast: AT, slow: Next(4), record_time: T, committed: Next(3) }.encode(), None),
        (tables::touch(P, "ada", 1 << 20), packed(), late),
        (tables::decision(P, "ada", 2, "v", 3), decision(), late),
        (tables::review(P, "ada", T.0, T, 2, "v"), decision(), None),
        (tables::cohort(P, "ada", 24_000, -1), CountRow { at: AT, members: 2 }.encode(), None),
        (tables::active(P, "ada", 1, 20_000), CountRow { at: AT, members: 2 }.encode(), None),
        (boards::boards_key(P, "ada"), BoardsRow { at: AT, rolled_to: Some(5) }.encode(), None),
        (boards::root_key(P, "ada", board), root.encode(), late),
        (boards::page_key(P, "ada", board, 1), PageRow { at: AT, values: vec![(1, 2)] }.encode(), late),
    ];
    let row = |(key, value, expires)| Row { key, at: AT, value: Some(value), expires };
    all.into_iter().map(row).collect()
}

/// Rows that belong to no generation.
pub fn shared() -> Vec<(Key, Bytes)> {
    let key = KeyRow {
        name: text("shop"),
        hash: [7; 32],
        scopes: vec![text("read")],
        creators: Some(vec![text("ada")]),
        created_at: T,
        expires_at: Some(T),
        revoked_at: Some(T),
        rate_per_s: Some(3),
        burst: Some(4),
    };
    let building = Building { number: 2, rate_per_s: 7, differences: Some(0) };
    let alias = Alias { live: 1, former: Some(1), building: Some(building), next: 3 };
    vec![(tables::key("k1"), key.encode()), (tables::alias(), alias.encode())]
}
