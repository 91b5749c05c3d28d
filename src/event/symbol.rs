//! The names of the choices, as in the schemas and in JSON: lower case, in the schema's order.

use super::{
    AttributionModel, CommissionKind, CommissionSource, ConversionKind, ErasureSubject, ListKey, ListKind,
    MemberStatus, OnDue, PaymentType, Precedence, ReviewLabel, ReviewSubject, RuleSetMode, ShareType, Verdict,
};

impl AttributionModel {
    pub const ALL: [Self; 3] = [Self::Last, Self::First, Self::Linear];

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::First => "first",
            Self::Linear => "linear",
        }
    }
}

impl Precedence {
    pub const ALL: [Self; 2] = [Self::CouponFirst, Self::ClickFirst];

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::CouponFirst => "coupon_first",
            Self::ClickFirst => "click_first",
        }
    }
}

impl CommissionSource {
    pub const ALL: [Self; 2] = [Self::Producer, Self::Derived];

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Derived => "derived",
        }
    }
}

impl OnDue {
    pub const ALL: [Self; 3] = [Self::Hold, Self::Release, Self::Reject];

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Reject => "reject",
        }
    }
}

impl MemberStatus {
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Removed];

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Removed => "removed",
        }
    }
}

impl ShareType {
    pub const ALL: [Self; 3] = [Self::Link, Self::Qr, Self::Message];

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Qr => "qr",
            Self::Message => "message",
        }
    }
}

impl ConversionKind {
    pub const ALL: [Self; 6] =
        [Self::Signup, Self::Purchase, Self::Renewal, Self::Refund, Self::Chargeback, Self::ChargebackReversed];

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Signup => "signup",
            Self::Purchase => "purchase",
            Self::Renewal => "renewal",
            Self::Refund => "refund",
            Self::Chargeback => "chargeback",
            Self::ChargebackReversed => "chargeback_reversed",
        }
    }
}

impl PaymentType {
    pub const ALL: [Self; 2] = [Self::Initial, Self::Recurring];

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Recurring => "recurring",
        }
    }
}

impl CommissionKind {
    pub const ALL: [Self; 5] = [Self::Earned, Self::Adjusted, Self::Reversed, Self::Approved, Self::Paid];

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Earned => "earned",
            Self::Adjusted => "adjusted",
            Self::Reversed => "reversed",
            Self::Approved => "approved",
            Self::Paid => "paid",
        }
    }
}

impl ReviewSubject {
    pub const ALL: [Self; 3] = [Self::Click, Self::Conversion, Self::Commission];

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::Conversion => "conversion",
            Self::Commission => "commission",
        }
    }
}

impl Verdict {
    pub const ALL: [Self; 2] = [Self::Approve, Self::Block];

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Block => "block",
        }
    }
}

impl ReviewLabel {
    pub const ALL: [Self; 3] = [Self::Fraud, Self::NotFraud, Self::Unsure];

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Fraud => "fraud",
            Self::NotFraud => "not_fraud",
            Self::Unsure => "unsure",
        }
    }
}

impl RuleSetMode {
    pub const ALL: [Self; 3] = [Self::Live, Self::Shadow, Self::Off];

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Shadow => "shadow",
            Self::Off => "off",
        }
    }
}

impl ListKind {
    pub const ALL: [Self; 2] = [Self::Deny, Self::Allow];

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Allow => "allow",
        }
    }
}

impl ListKey {
    pub const ALL: [Self; 2] = [Self::Member, Self::Customer];

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Customer => "customer",
        }
    }
}

impl ErasureSubject {
    pub const ALL: [Self; 2] = [Self::Member, Self::Customer];

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Customer => "customer",
        }
    }
}
