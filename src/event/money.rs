//! Conversions and commissions. Amounts are signed minor units of their currency.

use serde::{Deserialize, Serialize};

use crate::ids::{ClickId, Code, CommissionId, ConversionId, Currency, CustomerId, MemberId, Millis, Token};

/// A customer signed up, paid, or got money back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion<'a> {
    #[serde(borrow)]
    pub conversion_id: ConversionId<'a>,
    pub kind: ConversionKind,
    /// What a renewal, refund, chargeback or its reversal refers to.
    pub original_id: Option<ConversionId<'a>>,
    pub click_id: Option<ClickId<'a>>,
    pub referral_code: Option<Code<'a>>,
    pub coupon: Option<Code<'a>>,
    pub customer_id: Option<CustomerId<'a>>,
    pub user_id: Option<&'a str>,
    pub ip_token: Option<Token>,
    pub device_token: Option<Token>,
    pub email_token: Option<Token>,
    pub payment_token: Option<Token>,
    /// Minor units. An order must have one; a refund without one takes all that is left.
    pub amount: Option<i64>,
    /// Default: the creator's.
    pub currency: Option<Currency>,
    pub plan: Option<&'a str>,
    pub payment_type: Option<PaymentType>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ConversionKind {
    Signup,
    Purchase,
    Renewal,
    Refund,
    Chargeback,
    ChargebackReversed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PaymentType {
    Initial,
    Recurring,
}

/// A producer's own word on what a member is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commission<'a> {
    #[serde(borrow)]
    pub commission_id: CommissionId<'a>,
    pub kind: CommissionKind,
    pub member_id: MemberId<'a>,
    pub conversion_id: Option<ConversionId<'a>>,
    /// Minor units; required for `earned`, `adjusted` (a signed change) and `reversed` (a magnitude).
    pub amount: Option<i64>,
    pub currency: Option<Currency>,
    pub sale_amount: Option<i64>,
    pub payment_type: Option<PaymentType>,
    pub paid_at: Option<Millis>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CommissionKind {
    Earned,
    Adjusted,
    Reversed,
    Approved,
    Paid,
}
