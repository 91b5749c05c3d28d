//! A user agent is what anybody likes to send.

use std::time::Duration;

use proptest::prelude::*;
use tributary::clock::Clock;

use super::{BOTS, kind_of};

/// More than an event may hold.
const LONG: usize = 8_192;

fn long(part: &str, bytes: usize) -> String {
    part.repeat(bytes / part.len())
}

/// What begins like many patterns, again and again.
const PARTS: [&str; 12] =
    ["a", "bot", "bo", "a/1.1 ", "a.1", "; a", "@a-", "mozilla/5.0 (a/1.1 ", "(", "1/1.0;", "Googlebo", "\u{1f600}"];

#[test]
fn every_byte_again_and_again_is_answered() {
    for byte in 0..=u8::MAX {
        kind_of(&long(&char::from(byte).to_string(), LONG));
    }
    for part in PARTS {
        kind_of(&long(part, LONG));
    }
}

fn took(agent: &str) -> Duration {
    let clock = Clock::system();
    let once = || {
        let start = clock.monotonic();
        kind_of(agent);
        clock.monotonic() - start
    };
    (0..7).map(|_| once()).min().unwrap()
}

/// Eight times the text may take eight times as long; were it by the square, it would be 64 times.
#[test]
fn the_time_is_that_of_one_pass_however_long_the_text() {
    kind_of("made once");
    for part in PARTS {
        let (short, whole) = (took(&long(part, LONG)), took(&long(part, 8 * LONG)));
        assert!(whole < short * 32 + Duration::from_millis(1), "{part:?}: {short:?}, eight times as long {whole:?}");
    }
}

proptest! {
    #[test]
    fn any_text_is_answered_and_the_same_each_time(agent in any::<String>(), method in any::<String>(), purpose in any::<String>()) {
        let ask = || BOTS.of(Some(&agent), Some(&method), Some(&purpose));
        prop_assert_eq!(ask(), ask());
    }

    /// Whatever stands around it, and wherever.
    #[test]
    fn a_crawler_s_name_is_found_in_any_text(before in "[^\\x00-\\x1f]{0,200}", after in "[^\\x00-\\x1f]{0,200}") {
        let agent = format!("{before} AhrefsBot/7.0 {after}");
        prop_assert!(kind_of(&agent).is_some());
    }
}
