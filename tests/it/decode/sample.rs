//! Well-formed events of every kind, drawn from a seed: absent and present fields, short and long and odd texts.

use tributary::event::*;
use tributary::ids::*;

/// A small generator (splitmix64): one seed, one story.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn flip(&mut self) -> bool {
        self.next() & 1 == 1
    }

    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    pub fn maybe<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flip().then(|| draw(self))
    }

    pub fn long(&mut self) -> i64 {
        let bits = self.below(64);
        let number = (self.next() >> bits) as i64;
        number.max(-i64::MAX)
    }

    /// Within the years 1 to 9999.
    pub fn time(&mut self) -> Millis {
        Millis((self.next() % 253_402_300_799_999) as i64)
    }

    pub fn token(&mut self) -> Token {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.next().to_le_bytes());
        bytes[8..].copy_from_slice(&self.next().to_le_bytes());
        Token(bytes)
    }
}

/// Texts of 1 to 64 bytes to take ids and everything else from.
pub fn words(dice: &mut Dice) -> Vec<String> {
    const LETTERS: [&str; 14] = ["a", "Z", "0", "-", "é", "漢", "😀", "\"", "\\", "\n", "\u{1}", " x", ";", "."];
    let word = |n: usize, dice: &mut Dice| -> String {
        let mut text = format!("w{n}");
        for _ in 0..dice.below(14) {
            text.push_str(dice.pick(&LETTERS));
        }
        text.push('.');
        text
    };
    let mut words: Vec<String> = (0..40).map(|n| word(n, dice)).collect();
    words.push("x".repeat(64));
    words
}

pub struct Drawer<'w, 'd> {
    pub words: &'w [String],
    pub dice: &'d mut Dice,
}

impl<'w> Drawer<'w, '_> {
    fn word(&mut self) -> &'w str {
        &self.words[self.dice.below(self.words.len())]
    }

    fn maybe(&mut self) -> Option<&'w str> {
        self.dice.flip().then(|| self.word())
    }

    fn list(&mut self) -> Vec<&'w str> {
        let n = if self.dice.flip() { 0 } else { self.dice.below(5) };
        (0..n).map(|_| self.word()).collect()
    }

    fn notes(&mut self) -> Vec<(&'w str, &'w str)> {
        let mut notes: Vec<_> = self.list().into_iter().map(|key| (key, "")).collect();
        notes.iter_mut().for_each(|note| note.1 = self.word());
        notes.sort_unstable();
        notes.dedup_by_key(|note| note.0);
        notes
    }

    fn currency(&mut self) -> Currency {
        self.dice.pick(&[Currency(*b"EUR"), Currency(*b"JPY"), Currency(*b"KWD")])
    }

    pub fn event(&mut self, kind: Kind) -> Event<'w> {
        Event {
            event_id: EventId(self.word()),
            creator_id: CreatorId(self.word()),
            occurred_at: Millis(self.dice.long()),
            received_at: self.dice.maybe(Dice::time),
            attributes: self.notes(),
            body: self.body(kind),
        }
    }

    fn body(&mut self, kind: Kind) -> Body<'w> {
        match kind {
            Kind::Creator => Body::Creator(self.creator()),
            Kind::Member => Body::Member(self.member()),
            Kind::Sighting => Body::Sighting(Sighting {
                member_id: MemberId(self.word()),
                ip_token: self.dice.maybe(Dice::token),
                ip56_token: self.dice.maybe(Dice::token),
                device_token: self.dice.maybe(Dice::token),
                email_token: self.dice.maybe(Dice::token),
                payout_token: self.dice.maybe(Dice::token),
            }),
            Kind::Share => Body::Share(Share {
                share_id: ShareId(self.word()),
                member_id: MemberId(self.word()),
                platform: self.word(),
                share_type: self.dice.pick(&ShareType::ALL),
                template_id: self.maybe(),
                locale: self.maybe(),
            }),
            Kind::Click => Body::Click(self.click()),
            Kind::Conversion => Body::Conversion(self.conversion()),
            Kind::Commission => Body::Commission(self.commission()),
            Kind::Review => Body::Review(Review {
                subject_type: self.dice.pick(&ReviewSubject::ALL),
                subject_id: self.word(),
                decision_id: self.maybe(),
                verdict: self.dice.pick(&Verdict::ALL),
                label: self.dice.pick(&ReviewLabel::ALL),
                reason: self.word(),
                actor: self.word(),
                expires_at: self.dice.maybe(Dice::time),
            }),
            Kind::RuleSet => {
                let mode = self.dice.maybe(|dice| dice.pick(&RuleSetMode::ALL));
                Body::RuleSet(RuleSet {
                    rule_set_id: self.word(),
                    version: self.maybe(),
                    definition: self.maybe(),
                    mode,
                })
            }
            Kind::ListEntry => Body::ListEntry(ListEntry {
                list: self.dice.pick(&ListKind::ALL),
                key: self.dice.pick(&ListKey::ALL),
                value: self.word(),
                active: self.dice.flip(),
                actor: self.maybe(),
                expires_at: self.dice.maybe(Dice::time),
            }),
            Kind::Template => Body::Template(Template {
                template_id: self.word(),
                platform: self.word(),
                category: self.word(),
                locale: self.maybe(),
                text: self.word(),
                active: self.dice.flip(),
            }),
            Kind::Erasure => Body::Erasure(Erasure {
                subject_type: self.dice.pick(&ErasureSubject::ALL),
                subject_id: self.word(),
                actor: self.word(),
            }),
            Kind::Tick => Body::Tick,
        }
    }

    fn creator(&mut self) -> Creator<'w> {
        let pairs = ["platform,country", "member,plan", "country,device"];
        let n = self.dice.below(4);
        Creator {
            name: self.word(),
            currency: self.currency(),
            time_zone: self.word(),
            attribution: self.dice.maybe(|dice| AttributionPolicy {
                model: dice.maybe(|dice| dice.pick(&AttributionModel::ALL)),
                precedence: dice.maybe(|dice| dice.pick(&Precedence::ALL)),
                signup_window_ms: dice.maybe(|dice| dice.below(1_000_000) as i64),
                purchase_window_ms: dice.maybe(|dice| dice.below(1_000_000) as i64),
            }),
            commission: self.dice.maybe(|dice| CommissionPolicy {
                source: dice.maybe(|dice| dice.pick(&CommissionSource::ALL)),
                rate_bp: dice.maybe(|dice| dice.below(10_000) as i64),
                flat_amount: dice.maybe(|dice| dice.long().abs()),
                on: (0..dice.below(4)).map(|_| dice.pick(&ConversionKind::ALL)).collect(),
                hold_days: dice.maybe(|dice| dice.below(90) as i64),
            }),
            review: self.dice.maybe(|dice| ReviewPolicy {
                due_days: dice.maybe(|dice| dice.below(90) as i64),
                on_due: dice.maybe(|dice| dice.pick(&OnDue::ALL)),
            }),
            breakdown_pairs: pairs[..n].to_vec(),
            link_base: self.maybe(),
            landing_url: self.maybe(),
            click_cookie: self.dice.maybe(Dice::flip),
            embed_origins: self.list(),
        }
    }

    fn member(&mut self) -> Member<'w> {
        Member {
            member_id: MemberId(self.word()),
            user_id: self.maybe(),
            username: self.maybe(),
            referral_code: self.maybe().map(Code),
            coupons: self.list().into_iter().map(Code).collect(),
            joined_at: self.dice.maybe(Dice::time),
            status: self.dice.maybe(|dice| dice.pick(&MemberStatus::ALL)),
        }
    }

    fn click(&mut self) -> Click<'w> {
        let member_id = self.maybe().map(MemberId);
        Click {
            click_id: ClickId(self.word()),
            member_id,
            referral_code: if member_id.is_none() { Some(self.word()) } else { self.maybe() }.map(Code),
            share_id: self.maybe().map(ShareId),
            platform: self.maybe(),
            ip_token: self.dice.maybe(Dice::token),
            ip56_token: self.dice.maybe(Dice::token),
            device_token: self.dice.maybe(Dice::token),
            user_agent: self.maybe(),
            method: self.maybe(),
            purpose: self.maybe(),
            referrer: self.maybe(),
            utm_source: self.maybe(),
            utm_medium: self.maybe(),
            utm_campaign: self.maybe(),
            utm_term: self.maybe(),
            utm_content: self.maybe(),
            country: self.maybe(),
            device_class: self.maybe(),
        }
    }

    fn conversion(&mut self) -> Conversion<'w> {
        Conversion {
            conversion_id: ConversionId(self.word()),
            kind: self.dice.pick(&ConversionKind::ALL),
            original_id: Some(ConversionId(self.word())),
            click_id: self.maybe().map(ClickId),
            referral_code: self.maybe().map(Code),
            coupon: self.maybe().map(Code),
            customer_id: self.maybe().map(CustomerId),
            user_id: self.maybe(),
            ip_token: self.dice.maybe(Dice::token),
            device_token: self.dice.maybe(Dice::token),
            email_token: self.dice.maybe(Dice::token),
            payment_token: self.dice.maybe(Dice::token),
            amount: Some(self.dice.long()),
            currency: self.dice.flip().then(|| self.currency()),
            plan: self.maybe(),
            payment_type: self.dice.maybe(|dice| dice.pick(&PaymentType::ALL)),
        }
    }

    fn commission(&mut self) -> Commission<'w> {
        Commission {
            commission_id: CommissionId(self.word()),
            kind: self.dice.pick(&CommissionKind::ALL),
            member_id: MemberId(self.word()),
            conversion_id: self.maybe().map(ConversionId),
            amount: Some(self.dice.long()),
            currency: self.dice.flip().then(|| self.currency()),
            sale_amount: self.dice.maybe(Dice::long),
            payment_type: self.dice.maybe(|dice| dice.pick(&PaymentType::ALL)),
            paid_at: self.dice.maybe(Dice::time),
        }
    }
}

/// An event of any kind from a seed, handed to `story`.
pub fn with_event<T>(seed: u64, story: impl FnOnce(&Event<'_>, &mut Dice) -> T) -> T {
    let mut dice = Dice(seed);
    let words = words(&mut dice);
    let kind = dice.pick(&Kind::ALL);
    let event = Drawer { words: &words, dice: &mut dice }.event(kind);
    story(&event, &mut dice)
}
