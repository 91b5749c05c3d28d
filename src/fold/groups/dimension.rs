//! What figures are broken down by: thirteen dimensions, and pairs of them.

/// A property of a share, a click or an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    Platform,
    Country,
    Device,
    /// The host of the page that a click came from.
    Referrer,
    UtmSource,
    UtmMedium,
    UtmCampaign,
    UtmTerm,
    UtmContent,
    ShareType,
    Template,
    Plan,
    PaymentType,
}

/// How many dimensions there are.
pub const DIMENSIONS: usize = 13;

impl Dimension {
    /// In the order in which records keep their values.
    pub const ALL: [Self; DIMENSIONS] = [
        Self::Platform,
        Self::Country,
        Self::Device,
        Self::Referrer,
        Self::UtmSource,
        Self::UtmMedium,
        Self::UtmCampaign,
        Self::UtmTerm,
        Self::UtmContent,
        Self::ShareType,
        Self::Template,
        Self::Plan,
        Self::PaymentType,
    ];

    /// As questions and settings name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Country => "country",
            Self::Device => "device",
            Self::Referrer => "referrer",
            Self::UtmSource => "utm_source",
            Self::UtmMedium => "utm_medium",
            Self::UtmCampaign => "utm_campaign",
            Self::UtmTerm => "utm_term",
            Self::UtmContent => "utm_content",
            Self::ShareType => "share_type",
            Self::Template => "template",
            Self::Plan => "plan",
            Self::PaymentType => "payment_type",
        }
    }

    /// The dimension of this name, letter by letter.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.name() == name)
    }

    /// Its place in [`ALL`](Self::ALL).
    pub fn place(self) -> usize {
        Self::ALL.iter().position(|dimension| *dimension == self).unwrap_or_default()
    }

    /// From 1; rows and records name it so.
    pub fn number(self) -> u8 {
        u8::try_from(self.place() + 1).unwrap_or_default()
    }

    /// The dimension of a number that [`number`](Self::number) gave.
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }
}

/// What one breakdown goes by: a dimension, or two of them together, the one of the lower number first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Axis {
    pub a: Dimension,
    pub b: Option<Dimension>,
}

impl Axis {
    /// Pairs that are kept unless the creator names others.
    pub const PAIRS: [Self; 3] = [
        Self { a: Dimension::Platform, b: Some(Dimension::Country) },
        Self { a: Dimension::Platform, b: Some(Dimension::Device) },
        Self { a: Dimension::UtmSource, b: Some(Dimension::UtmCampaign) },
    ];

    /// A dimension alone.
    pub const fn one(a: Dimension) -> Self {
        Self { a, b: None }
    }

    /// Two dimensions, in whichever order; `None`: they are the same.
    pub fn pair(a: Dimension, b: Dimension) -> Option<Self> {
        (a != b).then(|| Self { a: a.min(b), b: Some(a.max(b)) })
    }

    /// `platform` or `platform,country`, in whichever order.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(',') {
            None => Dimension::parse(text.trim()).map(Self::one),
            Some((a, b)) => Self::pair(Dimension::parse(a.trim())?, Dimension::parse(b.trim())?),
        }
    }

    /// `platform` or `platform,country`.
    pub fn name(self) -> String {
        match self.b {
            None => self.a.name().to_owned(),
            Some(b) => format!("{},{}", self.a.name(), b.name()),
        }
    }

    /// The part of a row that holds it: never 0, never the same for two of them.
    pub fn part(self) -> u8 {
        self.b.map_or(self.a.number(), |b| self.a.number() * 16 + b.number())
    }

    /// The axis of a part that [`part`](Self::part) gave.
    pub fn of_part(part: u8) -> Option<Self> {
        if part < 16 {
            return Dimension::of_number(part).map(Self::one);
        }
        Self::pair(Dimension::of_number(part / 16)?, Dimension::of_number(part % 16)?)
    }
}
