//! Whoever decides as one: a person, a home, an office, a scheme.

use super::label::{Cohort, Family, Group};
use super::scene::Scene;
use super::{Strength, attack, honest};
use crate::ids::Millis;
use crate::simulate::market::mix;
use crate::simulate::random::Dice;

/// Small: what an agent is follows from its key, what it does from its dice.
#[derive(Debug, Clone)]
pub(super) struct Agent {
    pub(super) key: u64,
    pub(super) creator: usize,
    pub(super) group: Group,
    /// 0 to 10.
    pub(super) strength: u8,
    pub(super) dice: Dice,
    /// Turns taken so far.
    pub(super) turns: u32,
    /// What is left to do of something begun.
    pub(super) left: u32,
    /// Names given so far.
    named: u64,
}

impl Agent {
    pub(super) const fn new(key: u64, creator: usize, group: Group, strength: u8) -> Self {
        Self { key, creator, group, strength, dice: Dice::of(mix(key)), turns: 0, left: 0, named: 0 }
    }

    /// Does what is next, and says when it will do something again.
    pub(super) fn take_turn(&mut self, scene: &mut Scene, at: Millis) -> Millis {
        let next = match self.group {
            Group::Honest(cohort) => self.live(cohort, scene, at),
            Group::Fraud(family) => self.cheat(family, scene, at),
        };
        self.turns = self.turns.saturating_add(1);
        Millis(next.0.max(at.0 + 1))
    }

    fn live(&mut self, cohort: Cohort, scene: &mut Scene, at: Millis) -> Millis {
        match cohort {
            Cohort::Ordinary => honest::homes::ordinary(self, scene, at),
            Cohort::Household => honest::homes::household(self, scene, at),
            Cohort::FamilyCard => honest::homes::family_card(self, scene, at),
            Cohort::Office => honest::crowds::office(self, scene, at),
            Cohort::CarrierNat => honest::crowds::carrier_nat(self, scene, at),
            Cohort::Commuter => honest::crowds::commuter(self, scene, at),
            Cohort::VpnUser => honest::crowds::vpn_user(self, scene, at),
            Cohort::SharedTablet => honest::trade::shared_tablet(self, scene, at),
            Cohort::Newsletter => honest::newsletter::newsletter(self, scene, at),
            Cohort::Reseller => honest::trade::reseller(self, scene, at),
            Cohort::RefundHeavy => honest::trade::refund_heavy(self, scene, at),
            Cohort::FastBuyer => honest::trade::fast_buyer(self, scene, at),
        }
    }

    fn cheat(&mut self, family: Family, scene: &mut Scene, at: Millis) -> Millis {
        match family {
            Family::SelfPlain => attack::self_referral::plain(self, scene, at),
            Family::SelfVpn => attack::self_referral::vpn(self, scene, at),
            Family::SelfSecondDevice => attack::self_referral::second_device(self, scene, at),
            Family::ClickFarm => attack::farm::click_farm(self, scene, at),
            Family::BotFixed => attack::bots::fixed(self, scene, at),
            Family::BotJittered => attack::bots::jittered(self, scene, at),
            Family::BotPoisson => attack::bots::poisson(self, scene, at),
            Family::CookieStuffing => attack::stuffing::cookie_stuffing(self, scene, at),
            Family::BuyAndReturn => attack::orders::buy_and_return(self, scene, at),
            Family::StolenCards => attack::orders::stolen_cards(self, scene, at),
            Family::AccountRing => attack::ring::account_ring(self, scene, at),
            Family::LowAndSlow => attack::ring::low_and_slow(self, scene, at),
        }
    }

    pub(super) const fn is_new(&self) -> bool {
        self.turns == 0
    }

    /// How careful he is, if he cheats.
    pub(super) fn carefulness(&self) -> Option<Strength> {
        Strength::new(self.strength).filter(|_| self.group.is_fraud())
    }

    /// A number that no other name has.
    pub(super) const fn name(&mut self) -> u64 {
        self.named += 1;
        mix(self.key ^ mix(self.named))
    }

    /// What this agent is, and stays: uniform in `0..n`, by the number of the trait.
    pub(super) fn fixed(&self, what: u64, n: u64) -> u64 {
        Dice::of(mix(self.key ^ what.rotate_left(32))).below(n)
    }

    /// From what the careless do to what the careful do.
    pub(super) fn dial(&self, careless: i64, careful: i64) -> i64 {
        careless + (careful - careless) * i64::from(self.strength) / 10
    }

    /// As [`Self::dial`], for counts.
    pub(super) fn dial_count(&self, careless: i64, careful: i64) -> u64 {
        u64::try_from(self.dial(careless, careful)).unwrap_or_default()
    }

    /// True so many times in a thousand, between the careless and the careful.
    pub(super) fn chance(&mut self, careless: i64, careful: i64) -> bool {
        let permille = self.dial_count(careless, careful);
        self.dice.permille(permille)
    }

    /// A time around `mean` from now, at least `least`.
    pub(super) fn after(&mut self, at: Millis, least: i64, mean: i64) -> Millis {
        Millis(at.0 + least + self.dice.wait(mean))
    }
}
