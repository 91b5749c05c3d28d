//! Which kind a bot is.

use tributary::event::BotKind;

use super::{BOTS, kind_of};

const PHONE: &str = "Mozilla/5.0 (Linux; Android 12; CUBOT P50) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36";
const DESKTOP: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0";

fn assert_kinds(kind: BotKind, agents: &[&str]) {
    for agent in agents {
        assert_eq!(kind_of(agent), Some(kind), "{agent}");
    }
}

#[test]
fn crawlers_are_declared_bots() {
    assert_kinds(
        BotKind::Declared,
        &[
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
            "UptimeRobot/2.0",
            "some_robot",
        ],
    );
}

#[test]
fn what_draws_the_preview_of_a_link_is_one() {
    assert_kinds(
        BotKind::SocialPreview,
        &[
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "WhatsApp/2.24.11.85 A",
            "Twitterbot/1.0",
            "LinkedInBot/1.0 (compatible; Mozilla/5.0; Jakarta Commons-HttpClient/3.1 +http://www.linkedin.com)",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "TelegramBot (like TwitterBot)",
            "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
            "Viber",
            "http.rb/5.1.1 (Mastodon/4.2.1; +https://mastodon.example/)",
            "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
        ],
    );
}

#[test]
fn what_fetches_ahead_of_somebody_is_a_prefetch() {
    assert_kinds(
        BotKind::Prefetch,
        &["Chrome Privacy Preserving Prefetch Proxy", "Mozilla/4.0 (compatible; ms-office; MSOffice 16)"],
    );
    for purpose in ["prefetch", "prefetch;prerender", "Preview", " PREFETCH;anonymous-client-ip"] {
        assert_eq!(BOTS.of(Some(DESKTOP), Some("GET"), Some(purpose)), Some(BotKind::Prefetch), "{purpose}");
        assert_eq!(BOTS.of(None, None, Some(purpose)), Some(BotKind::Prefetch), "{purpose}");
    }
    assert_eq!(BOTS.of(Some(DESKTOP), Some("GET"), Some("")), None);
    assert_eq!(BOTS.of(Some(DESKTOP), Some("GET"), Some("fetch")), None);
}

#[test]
fn what_looks_into_mail_before_it_is_read_is_a_mail_scanner() {
    assert_kinds(
        BotKind::MailScanner,
        &[
            "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
            "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
            "BarracudaCentral/1.0",
            "Mimecast-Scanner/2.0",
        ],
    );
}

#[test]
fn what_programs_fetch_with_is_an_http_library() {
    assert_kinds(
        BotKind::HttpLibrary,
        &[
            "curl/8.6.0",
            "PYTHON-requests/2.31",
            "python-requests/2.32.3",
            "Go-http-client/2.0",
            "okhttp/4.12.0",
            "axios/1.7.2",
            "Java/17.0.2",
            "Apache-HttpClient/4.5.14 (Java/17.0.2)",
            "Dart/3.4 (dart:io)",
            "Wget/1.21.4",
            "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.4412",
        ],
    );
}

#[test]
fn a_browser_that_a_program_drives_is_headless() {
    assert_kinds(
        BotKind::Headless,
        &[
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0 Safari/537.36",
            "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36 Playwright/1.40.0",
        ],
    );
}

#[test]
fn an_empty_user_agent_is_one_and_one_that_nobody_passed_on_says_nothing() {
    assert_kinds(BotKind::MissingUa, &["", "  ", "\t\u{a0}"]);
    assert_eq!(BOTS.of(None, None, None), None);
    assert_eq!(BOTS.of(None, Some("GET"), None), None);
    assert_eq!(BOTS.of(Some(""), Some("GET"), None), Some(BotKind::MissingUa));
}

#[test]
fn whoever_asks_for_a_head_is_a_declared_bot() {
    for method in ["HEAD", "head", " Head "] {
        assert_eq!(BOTS.of(Some(DESKTOP), Some(method), None), Some(BotKind::Declared), "{method}");
        assert_eq!(BOTS.of(None, Some(method), None), Some(BotKind::Declared), "{method}");
    }
    assert_eq!(BOTS.of(Some(DESKTOP), Some("HEADER"), None), None);
}

/// A script gains nothing by calling itself a prefetch; a preview that looks before it fetches stays one.
#[test]
fn who_says_what_it_is_is_that_then_come_purpose_and_method() {
    let of = |agent, method, purpose| BOTS.of(Some(agent), Some(method), purpose);
    assert_eq!(of("python-requests/2.32.3", "GET", Some("prefetch")), Some(BotKind::HttpLibrary));
    assert_eq!(of("WhatsApp/2.24.11.85 A", "HEAD", None), Some(BotKind::SocialPreview));
    assert_eq!(of(DESKTOP, "HEAD", Some("prefetch")), Some(BotKind::Prefetch));
    assert_eq!(of("", "GET", Some("prefetch")), Some(BotKind::Prefetch));
    assert_eq!(of("", "HEAD", None), Some(BotKind::Declared));
}

#[test]
fn a_phone_called_bot_is_one_only_if_something_else_says_so() {
    assert_eq!(kind_of(PHONE), None);
    assert_eq!(kind_of(&format!("{PHONE} Googlebot/2.1")), Some(BotKind::Declared));
    assert_eq!(BOTS.of(Some(PHONE), Some("HEAD"), None), Some(BotKind::Declared));
}

/// Where the lists say "unless": right of `bot` no letter, `http` not in `libhttp`, and so on, in any case.
#[test]
fn a_word_that_belongs_to_another_is_no_mark() {
    let browser = |word: &str| kind_of(&format!("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 {word}"));
    for word in [
        "newssapphire",
        "BigNews",
        "GoogleApp",
        "googlewv",
        "Google Pixel",
        "channel/google",
        "google/Google",
        "libhttp",
        "CamScan",
        "java;",
        "bottle",
        "robotics",
        "Botany",
    ] {
        assert_eq!(browser(word), None, "{word}");
    }
    for word in [
        "news",
        "newssapphir",
        "google",
        "Googleap",
        "xchannel/google",
        "http",
        "xscan",
        "java",
        "bot_",
        "robots)",
        "BOT",
    ] {
        assert!(browser(word).is_some(), "{word}");
    }
}

/// `Yeti` is Naver's crawler, and `^active` begins an agent.
#[test]
fn a_name_counts_as_it_is_written_and_a_beginning_at_the_beginning() {
    let browser = |word: &str| kind_of(&format!("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 {word}"));
    assert_eq!(browser("Yeti/1.1"), Some(BotKind::Declared));
    assert_eq!(browser("yeti/1.1"), None);
    assert_eq!(browser("Active"), None);
    assert_eq!(kind_of("ACTIVE/5.0 (X11; Linux x86_64)"), Some(BotKind::Declared));
}

#[test]
fn previews_prefetches_and_mail_scanners_come_because_somebody_shared() {
    let innocent: Vec<_> = BotKind::ALL.into_iter().filter(|kind| kind.is_innocent()).map(BotKind::name).collect();
    assert_eq!(innocent, ["mail_scanner", "prefetch", "social_preview"]);
}

#[test]
fn every_kind_has_its_own_name() {
    for kind in BotKind::ALL {
        assert_eq!(BotKind::parse(kind.name()), Some(kind));
    }
    assert_eq!(BotKind::parse("Declared"), None);
}
