//! What sort of bot.

use serde::{Deserialize, Serialize};

/// What made a click that nobody made. The first that applies is the one that is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BotKind {
    /// Looks into links before a mail is read.
    MailScanner,
    /// Fetches ahead: nobody has followed the link yet.
    Prefetch,
    /// Draws the preview of a link that somebody sent or posted.
    SocialPreview,
    /// A browser that a program drives.
    Headless,
    /// A program's way to fetch, left under its own name.
    HttpLibrary,
    /// Says that it is a bot, or asks for a head without a body.
    Declared,
    /// Sent an empty user agent.
    MissingUa,
}

impl BotKind {
    pub const ALL: [Self; 7] = [
        Self::MailScanner,
        Self::Prefetch,
        Self::SocialPreview,
        Self::Headless,
        Self::HttpLibrary,
        Self::Declared,
        Self::MissingUa,
    ];

    /// As evidence and files call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MailScanner => "mail_scanner",
            Self::Prefetch => "prefetch",
            Self::SocialPreview => "social_preview",
            Self::Headless => "headless",
            Self::HttpLibrary => "http_library",
            Self::Declared => "declared",
            Self::MissingUa => "missing_ua",
        }
    }

    /// The kind of this name, letter by letter.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// It comes because somebody shared the link: not counted, and not held against the member.
    pub const fn is_innocent(self) -> bool {
        match self {
            Self::MailScanner | Self::Prefetch | Self::SocialPreview => true,
            Self::Headless | Self::HttpLibrary | Self::Declared | Self::MissingUa => false,
        }
    }
}
