//! A rule set: points, limits and guards under a name and a version. Two are shipped.

use serde::{Deserialize, Serialize};

use super::score::Points;

/// How a creator's records are scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSet {
    pub id: String,
    pub version: String,
    pub points: Points,
    pub limits: Limits,
    pub guards: Guards,
}

impl RuleSet {
    /// The literal contract: every hit counts, whatever explains it.
    pub fn seed_v1() -> Self {
        Self {
            id: "seed-v1".to_owned(),
            version: "1".to_owned(),
            points: Points::SEED,
            limits: Limits::DEFAULT,
            guards: Guards::NONE,
        }
    }

    /// The default: the same points, and hits that something honest explains are silenced; so a device of two customers
    /// is enough.
    pub fn guarded_v1() -> Self {
        Self { id: "guarded-v1".to_owned(), limits: Limits::GUARDED, guards: Guards::ALL, ..Self::seed_v1() }
    }

    /// A shipped one.
    pub fn shipped(id: &str) -> Option<Self> {
        [Self::guarded_v1(), Self::seed_v1()].into_iter().find(|set| set.id == id)
    }
}

impl Default for RuleSet {
    fn default() -> Self {
        Self::guarded_v1()
    }
}

/// Which guards are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guards {
    /// An address of many people tells nothing about one of them, and carries more clicks.
    pub shared_ip: bool,
    /// The same of a device.
    pub crowded_device: bool,
    /// An address by which a great part of a creator's traffic comes is no evidence at all.
    pub proxy: bool,
    /// The member's address, device and means of payout tell nothing of somebody whose account is known to be another.
    pub another_account: bool,
    /// A means of payment that several have, each with a device of their own, is a family's.
    pub own_devices: bool,
    /// What customers share counts for those who share it, and not for all whom the member brings.
    pub bystander: bool,
    /// Customers at a device or an address of the member's own share it as guests.
    pub member_device: bool,
    /// What more than five customers pay with is no person's.
    pub many_payers: bool,
    /// A customer may send back as much as is usual.
    pub usual_refunds: bool,
    /// One chargeback of a customer tells nothing of the customer's other orders, if most of them stand.
    pub other_orders: bool,
}

impl Guards {
    pub const ALL: Self = Self::all(true);
    pub const NONE: Self = Self::all(false);

    const fn all(on: bool) -> Self {
        Self {
            shared_ip: on,
            crowded_device: on,
            proxy: on,
            another_account: on,
            own_devices: on,
            bystander: on,
            member_device: on,
            many_payers: on,
            usual_refunds: on,
            other_orders: on,
        }
    }
}

/// From where on a question is answered with yes. Spans are those of [`span`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// More clicks of a member than these from one address in a minute and in an hour.
    pub clicks_ip_minute: u32,
    pub clicks_ip_hour: u32,
    /// From one device in a minute.
    pub clicks_device_minute: u32,
    /// From one IPv6 /56 in a minute.
    pub clicks_network_minute: u32,
    /// Gaps between clicks are alike below this coefficient of variation, in hundredths.
    pub gaps_variation: u32,
    /// Their mean lies from one of these to the other, in milliseconds.
    pub gaps_mean_min: u64,
    pub gaps_mean_max: u64,
    /// A conversion comes sooner than these after its click, in milliseconds.
    pub hasty_purchase: u64,
    pub hasty_signup: u64,
    /// The winning click comes at most so long before the conversion, or behind another member's, in milliseconds.
    pub late_click: u64,
    pub click_behind: u64,
    /// At least so many chargebacks of a customer.
    pub customer_chargebacks: u32,
    /// At least so many among the member's orders, and surely more of them than the share, in tenths of a percent.
    pub member_chargebacks: u32,
    pub member_chargebacks_permille: u32,
    /// The same of refunds; the share is at least twice the creator's.
    pub member_refunds: u32,
    pub member_refunds_permille: u32,
    pub early_refunds: u32,
    /// At least so many refunds of a customer, of at least so many orders.
    pub customer_refunds: u32,
    pub customer_refunds_orders: u32,
    /// ... if guarded, surely more of the customer's orders than this share, in tenths of a percent, and twice the creator's.
    pub customer_refunds_permille: u32,
    /// At least so many member accounts in one identity cluster.
    pub cluster_accounts: u32,
    /// At least so many customers of the member with one means of payment, or one device.
    pub shared_customers: u32,
    pub shared_device_customers: u32,
    /// At least so many customers of the member whom one person or a machine made, and surely more of them than the
    /// share, in tenths of a percent.
    pub made_customers: u32,
    pub made_customers_permille: u32,
    /// The same of those who decided within [`span::RUSH`] of their click; the share is at least twice the creator's.
    pub rushed_customers: u32,
    pub rushed_customers_permille: u32,
}

impl Limits {
    pub const DEFAULT: Self = Self {
        clicks_ip_minute: 10,
        clicks_ip_hour: 60,
        clicks_device_minute: 10,
        clicks_network_minute: 100,
        gaps_variation: 30,
        gaps_mean_min: 500,
        gaps_mean_max: 6 * span::HOUR,
        hasty_purchase: 5_000,
        hasty_signup: 2_000,
        late_click: 10_000,
        click_behind: 5_000,
        customer_chargebacks: 1,
        member_chargebacks: 3,
        member_chargebacks_permille: 10,
        member_refunds: 5,
        member_refunds_permille: 200,
        early_refunds: 3,
        customer_refunds: 3,
        customer_refunds_orders: 2,
        customer_refunds_permille: 450,
        cluster_accounts: 2,
        shared_customers: 3,
        shared_device_customers: 3,
        made_customers: u32::MAX,
        made_customers_permille: 100,
        rushed_customers: u32::MAX,
        rushed_customers_permille: 300,
    };
    pub const GUARDED: Self = Self { made_customers: 8, rushed_customers: 5, ..Self::DEFAULT };
}

/// How far back each kind of evidence counts, in milliseconds. State is kept for so long, so no rule set changes them.
pub mod span {
    pub const MINUTE: u64 = 60_000;
    pub const HOUR: u64 = 60 * MINUTE;
    pub const DAY: u64 = 24 * HOUR;
    /// An own address, an own device.
    pub const OWN_IP: u64 = 30 * DAY;
    pub const OWN_DEVICE: u64 = 90 * DAY;
    pub const CUSTOMER_CHARGEBACKS: u64 = 365 * DAY;
    pub const MEMBER_CHARGEBACKS: u64 = 180 * DAY;
    pub const REFUNDS: u64 = 90 * DAY;
    /// After a commission became payable.
    pub const EARLY_REFUND: u64 = 72 * HOUR;
    pub const SHARED_CUSTOMERS: u64 = 30 * DAY;
    /// The same as of refunds: they are summed up together.
    pub const MADE_CUSTOMERS: u64 = REFUNDS;
    /// From the click to what is bought: who reads takes longer.
    pub const RUSH: u64 = 2 * MINUTE;
}
