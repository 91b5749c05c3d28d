//! The fields that come as they are, and the token fields that they become.

/// What a key is for. Payment and payout share one, so that who is paid can be who paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Ip,
    Device,
    Email,
    Payment,
}

impl Purpose {
    pub const ALL: [Self; 4] = [Self::Ip, Self::Device, Self::Email, Self::Payment];

    /// As the recipe names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Device => "device",
            Self::Email => "email",
            Self::Payment => "payment",
        }
    }
}

/// A raw field of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawField {
    Ip,
    Device,
    Email,
    PaymentMethod,
    PayoutMethod,
}

impl RawField {
    pub const ALL: [Self; 5] = [Self::Ip, Self::Device, Self::Email, Self::PaymentMethod, Self::PayoutMethod];

    /// As JSON and CSV name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Device => "device",
            Self::Email => "email",
            Self::PaymentMethod => "payment_method",
            Self::PayoutMethod => "payout_method",
        }
    }

    /// The field of this name, letter by letter.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// The token fields that it becomes, in records that have them. A record takes the raw field if it has the first.
    pub const fn tokens(self) -> &'static [&'static str] {
        match self {
            Self::Ip => &["ip_token", "ip56_token"],
            Self::Device => &["device_token"],
            Self::Email => &["email_token"],
            Self::PaymentMethod => &["payment_token"],
            Self::PayoutMethod => &["payout_token"],
        }
    }

    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Ip => Purpose::Ip,
            Self::Device => Purpose::Device,
            Self::Email => Purpose::Email,
            Self::PaymentMethod | Self::PayoutMethod => Purpose::Payment,
        }
    }

    /// Longest value in bytes: of an e-mail that of RFC 5321, 64 before the @ and 255 behind it.
    pub const fn bytes_max(self) -> usize {
        match self {
            Self::Ip => 64,
            Self::Device => 4_096,
            Self::Email => 320,
            Self::PaymentMethod | Self::PayoutMethod => 1_024,
        }
    }
}
