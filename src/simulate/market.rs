//! What the simulated programmes are made of: names, places, browsers, prices.

use crate::ids::{Currency, Token};

pub(super) const FIRST_WORDS: [&str; 12] = [
    "Harbour", "Alpine", "Copper", "Juniper", "Lantern", "Meadow", "Nordic", "Orchard", "Pebble", "Quiet", "Saffron",
    "Tidal",
];
pub(super) const SECOND_WORDS: [&str; 11] = [
    "Coffee Club",
    "Climbing School",
    "Journal",
    "Yoga Studio",
    "Code Camp",
    "Book Circle",
    "Running Crew",
    "Kitchen",
    "Language Lab",
    "Photo Walks",
    "Garden Society",
];
pub(super) const PEOPLE: [&str; 16] = [
    "Anna", "Bilal", "Chen", "Dana", "Emeka", "Freya", "Goran", "Hana", "Ines", "Jonas", "Keiko", "Luis", "Mira",
    "Noor", "Oskar", "Priya",
];
/// Currency, digits after the point as a factor, and where most of its members live.
pub(super) const MARKETS: [(&str, i64, &str); 10] = [
    ("EUR", 100, "Europe/Berlin"),
    ("USD", 100, "America/New_York"),
    ("JPY", 1, "Asia/Tokyo"),
    ("EUR", 100, "Europe/Madrid"),
    ("USD", 100, "America/Los_Angeles"),
    ("KWD", 1_000, "Asia/Kuwait"),
    ("GBP", 100, "Europe/London"),
    ("USD", 100, "America/Sao_Paulo"),
    ("INR", 100, "Asia/Kolkata"),
    ("AUD", 100, "Australia/Sydney"),
];
pub(super) const PLATFORMS: [&str; 8] =
    ["whatsapp", "x", "facebook", "email", "telegram", "linkedin", "reddit", "copy"];
pub(super) const COUNTRIES: [&str; 12] = ["DE", "US", "JP", "ES", "GB", "KW", "BR", "IN", "AU", "FR", "NL", "SE"];
pub(super) const REFERRERS: [&str; 5] = [
    "https://www.google.com/",
    "https://t.co/",
    "https://l.facebook.com/",
    "https://www.reddit.com/r/running/",
    "https://www.linkedin.com/",
];
pub(super) const CAMPAIGNS: [&str; 4] = ["spring", "launch", "friends", "newsletter-12"];
pub(super) const PLANS: [&str; 4] = ["basic", "plus", "pro", "lifetime"];
/// Whole units of a two-digit currency; others are brought to a like value.
pub(super) const PRICES: [i64; 8] = [9, 12, 19, 29, 49, 79, 149, 499];

pub(super) const BROWSERS: [(&str, &str); 6] = [
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        "desktop",
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        "mobile",
    ),
    (
        "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
        "mobile",
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
        "desktop",
    ),
    (
        "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        "tablet",
    ),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "desktop"),
];
/// Those who fetch without reading: user agent, method, purpose.
pub(super) const BOTS: [(Option<&str>, &str, Option<&str>); 9] = [
    (Some("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"), "GET", None),
    (Some("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"), "GET", None),
    (Some("curl/8.6.0"), "GET", None),
    (Some("python-requests/2.32.3"), "GET", None),
    (Some("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"), "GET", None),
    (Some("WhatsApp/2.24.11.85 A"), "GET", None),
    (Some(""), "GET", None),
    (Some(BROWSERS[0].0), "HEAD", None),
    (Some(BROWSERS[2].0), "GET", Some("prefetch")),
];

pub(super) fn currency(code: &str) -> Currency {
    Currency::parse(code).expect("the codes of the market table are three capitals")
}

/// A price in the minor units of a currency whose unit has `factor` of them.
pub(super) const fn price(units: i64, factor: i64) -> i64 {
    match factor {
        // A yen is worth about a cent: whole yen, ending in 80.
        1 => units * 150 - 20,
        // Three decimals: a dinar is worth about three euros.
        1_000 => units * 300 - 50,
        _ => units * factor - 1,
    }
}

/// A made-up token: as good as random, the same for the same `what` and number.
pub(super) fn token(what: u64, number: u64) -> Token {
    let high = mix(number ^ what.rotate_left(32));
    let low = mix(high ^ number);
    let wide = u128::from(high) << 64 | u128::from(low);
    Token(wide.to_be_bytes())
}

/// The finaliser of SplitMix64.
pub(super) const fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
