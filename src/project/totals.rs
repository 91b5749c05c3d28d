//! Sums of a scope (a creator, a member, a minute, a day): counts, and money per currency.

use crate::ids::Currency;

/// Counts of one scope. In series a count can fall: a refund may move a customer to another day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub clicks_total: i64,
    pub clicks_human: i64,
    pub clicks_unique: i64,
    /// Human clicks that name a share: the dividend of `clicks_per_share`.
    pub clicks_shared: i64,
    pub shares: i64,
    pub signups: i64,
    pub orders: i64,
    pub customers: i64,
    pub referrals: i64,
    /// Of `signups`, those credited to a member: the dividend of `k_factor`.
    pub signups_credited: i64,
}

/// Money of one scope in one currency, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Money {
    pub revenue_gross: i128,
    pub revenue_refunded: i128,
    pub revenue_blocked: i128,
    /// Stated or derived, adjustments included.
    pub commission_earned: i128,
    pub commission_reversed: i128,
    pub commission_held: i128,
    pub commission_approved: i128,
    pub commission_paid: i128,
    /// Net less the paid amount of paid commissions: negative is owed back.
    pub commission_carry: i128,
}

impl Money {
    pub const fn revenue_net(&self) -> i128 {
        self.revenue_gross - self.revenue_refunded
    }

    /// held + approved + paid + carry, whenever all four are kept (not in series).
    pub const fn commission_net(&self) -> i128 {
        self.commission_earned - self.commission_reversed
    }

    const fn fields(&self) -> [i128; 9] {
        [
            self.revenue_gross,
            self.revenue_refunded,
            self.revenue_blocked,
            self.commission_earned,
            self.commission_reversed,
            self.commission_held,
            self.commission_approved,
            self.commission_paid,
            self.commission_carry,
        ]
    }

    fn fields_mut(&mut self) -> [&mut i128; 9] {
        [
            &mut self.revenue_gross,
            &mut self.revenue_refunded,
            &mut self.revenue_blocked,
            &mut self.commission_earned,
            &mut self.commission_reversed,
            &mut self.commission_held,
            &mut self.commission_approved,
            &mut self.commission_paid,
            &mut self.commission_carry,
        ]
    }

    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.fields_mut().into_iter().zip(other.fields()) {
            *mine += theirs;
        }
    }
}

impl Counts {
    const fn fields(&self) -> [i64; 10] {
        [
            self.clicks_total,
            self.clicks_human,
            self.clicks_unique,
            self.clicks_shared,
            self.shares,
            self.signups,
            self.orders,
            self.customers,
            self.referrals,
            self.signups_credited,
        ]
    }

    fn fields_mut(&mut self) -> [&mut i64; 10] {
        [
            &mut self.clicks_total,
            &mut self.clicks_human,
            &mut self.clicks_unique,
            &mut self.clicks_shared,
            &mut self.shares,
            &mut self.signups,
            &mut self.orders,
            &mut self.customers,
            &mut self.referrals,
            &mut self.signups_credited,
        ]
    }

    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.fields_mut().into_iter().zip(other.fields()) {
            *mine += theirs;
        }
    }
}

/// Counts and money together. Money is in order of currency; currencies are never added up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    pub counts: Counts,
    pub money: Vec<(Currency, Money)>,
}

impl Totals {
    pub fn add(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        for (currency, money) in &other.money {
            self.money_mut(*currency).add(money);
        }
    }

    /// Money in `currency`; zero where there was none.
    pub fn money_in(&self, currency: Currency) -> Money {
        self.money.iter().find(|(held, _)| *held == currency).map(|(_, money)| *money).unwrap_or_default()
    }

    /// Keeps the order of currencies.
    pub fn money_mut(&mut self, currency: Currency) -> &mut Money {
        let place = self.money.partition_point(|(held, _)| *held < currency);
        if self.money.get(place).is_none_or(|(held, _)| *held != currency) {
            self.money.insert(place, (currency, Money::default()));
        }
        &mut self.money.get_mut(place).expect("inserted above").1
    }

    /// Takes away what was added; currencies stay, be it with zeros.
    pub fn subtract(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.fields_mut().into_iter().zip(other.counts.fields()) {
            *mine -= theirs;
        }
        for (currency, money) in &other.money {
            for (mine, theirs) in self.money_mut(*currency).fields_mut().into_iter().zip(money.fields()) {
                *mine -= theirs;
            }
        }
    }

    pub fn is_zero(&self) -> bool {
        self.counts == Counts::default() && self.money.iter().all(|(_, money)| *money == Money::default())
    }

    /// Appends: a bit mask of the non-zero counts, those as zigzag varints, the number of currencies, then per
    /// currency its code, mask and values.
    pub fn pack(&self, out: &mut Vec<u8>) {
        pack_counts(out, &self.counts.fields());
        put_unsigned(out, u128::try_from(self.money.len()).unwrap_or_default());
        for (currency, money) in &self.money {
            out.extend_from_slice(&currency.0);
            pack_fields(out, &money.fields());
        }
    }

    /// Takes what `pack` wrote off the front; `None` for damage.
    pub fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        let mut totals = Self::default();
        let (mut counts, mut wide) = ([0_i128; 10], [0_i128; 9]);
        unpack_fields(bytes, &mut counts)?;
        for (field, value) in totals.counts.fields_mut().into_iter().zip(counts) {
            *field = i64::try_from(value).ok()?;
        }
        for _ in 0..take_unsigned(bytes)? {
            let (code, rest) = bytes.split_first_chunk::<3>()?;
            *bytes = rest;
            let mut money = Money::default();
            unpack_fields(bytes, &mut wide)?;
            for (field, value) in money.fields_mut().into_iter().zip(wide) {
                *field = value;
            }
            totals.money.push((Currency(*code), money));
        }
        Some(totals)
    }
}

/// As [`pack_fields`], of numbers that are half as wide.
fn pack_counts(out: &mut Vec<u8>, fields: &[i64]) {
    let mask = fields.iter().enumerate().fold(0_u64, |mask, (i, value)| mask | (u64::from(*value != 0) << i));
    put_short(out, mask);
    for value in fields.iter().filter(|value| **value != 0) {
        put_short(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
    }
}

fn pack_fields(out: &mut Vec<u8>, fields: &[i128; 9]) {
    let mask = fields.iter().enumerate().fold(0_u128, |mask, (i, value)| mask | (u128::from(*value != 0) << i));
    put_unsigned(out, mask);
    for value in fields.iter().filter(|value| **value != 0) {
        put_unsigned(out, ((value << 1) ^ (value >> 127)).cast_unsigned());
    }
}

fn unpack_fields(bytes: &mut &[u8], fields: &mut [i128]) -> Option<()> {
    let mask = take_unsigned(bytes)?;
    for (i, field) in fields.iter_mut().enumerate() {
        *field = 0;
        if mask >> i & 1 == 1 {
            let zigzag = take_unsigned(bytes)?;
            *field = (zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed());
        }
    }
    Some(())
}

/// Seven bits a byte, the lowest first; the high bit says that more follow.
pub fn put_unsigned(out: &mut Vec<u8>, mut value: u128) {
    if let Ok(short) = u64::try_from(value) {
        return put_short(out, short);
    }
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or_default());
}

fn put_short(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or_default());
}

/// Takes a number that [`put_unsigned`] wrote off the front; `None` for damage.
pub fn take_unsigned(bytes: &mut &[u8]) -> Option<u128> {
    let mut value = 0_u128;
    for shift in (0..128).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u128::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
