//! Who is no human, from what the request says of itself.
//!
//! Promise: the same answer wherever a click is counted; no list to load, no state. What hides its nature is for
//! the fraud rules (velocity, timing) to find.

/// Whether a click was made by a declared bot: by its user agent (crawlers, HTTP libraries, headless browsers, link
/// previews, mail scanners), by an empty user agent, by `HEAD`, or by a prefetch. A user agent nobody passed on
/// (`None`) says nothing.
pub fn is_bot(user_agent: Option<&str>, method: Option<&str>, purpose: Option<&str>) -> bool {
    user_agent.is_some_and(is_bot_user_agent)
        || method.is_some_and(|method| method.trim().eq_ignore_ascii_case("HEAD"))
        || purpose.is_some_and(is_prefetch)
}

fn is_bot_user_agent(user_agent: &str) -> bool {
    let text = user_agent.trim().as_bytes();
    text.is_empty() || (0..text.len()).any(|at| names_bot(text, at))
}

/// One pass over the text: only the marks that begin with the letter at `at` are compared.
fn names_bot(text: &[u8], at: usize) -> bool {
    let Some(rest) = text.get(at..) else { return false };
    let Some(first) = rest.first() else { return false };
    marks(first.to_ascii_lowercase()).iter().any(|mark| begins_with(rest, mark)) && !is_phone(text, at)
}

/// Cubot makes phones, not bots.
fn is_phone(text: &[u8], at: usize) -> bool {
    at.checked_sub(2).and_then(|from| text.get(from..)).is_some_and(|around| begins_with(around, "cubot"))
}

fn begins_with(text: &[u8], mark: &str) -> bool {
    text.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark.as_bytes()))
}

/// Marks of the user agents that say what they are, by first letter, in lower case.
const fn marks(first: u8) -> &'static [&'static str] {
    match first {
        b'a' => &["apache-httpclient", "axios/", "aiohttp", "ahrefs", "applebot", "adsbot"],
        b'b' => &["bot", "bingpreview", "barracuda"],
        b'c' => &["crawl", "curl/", "chrome-lighthouse", "cloudflare-alwaysonline"],
        b'd' => &["dalvik/0", "duckduckgo-favicons"],
        b'e' => &["electricmonk", "embedly"],
        b'f' => &["facebookexternalhit", "facebookcatalog", "fetch/", "feedfetcher"],
        b'g' => {
            &["go-http-client", "guzzlehttp", "google-read-aloud", "google-safety", "googleimageproxy", "got/", "got ("]
        }
        b'h' => &["headless", "httpclient", "httpx", "http.rb", "httrack", "http_request", "httpie"],
        b'i' => &["iframely", "ia_archiver"],
        b'j' => &["java/", "jakarta"],
        b'l' => &["libwww", "lighthouse", "link preview", "linkpreview", "lua-resty"],
        b'm' => &["mediapartners", "mimecast", "monitor/"],
        b'n' => &["node-fetch", "nutch", "node.js"],
        b'o' => &["okhttp", "outbrain"],
        b'p' => &[
            "python",
            "phantomjs",
            "postmanruntime",
            "puppeteer",
            "playwright",
            "preview",
            "proofpoint",
            "prerender",
            "perl",
            "php/",
        ],
        b'q' => &["qwantify"],
        b'r' => &["ruby", "reqwest", "rest-client"],
        b's' => &["spider", "scrapy", "scraper", "slurp", "selenium", "skypeuripreview", "safelinks"],
        b't' => &["typhoeus"],
        b'u' => &["urllib", "uptime", "undici"],
        b'v' => &["validator", "vkshare"],
        b'w' => &["wget", "whatsapp/", "winhttp", "webdriver"],
        b'z' => &["zgrab", "zabbix"],
        _ => &[],
    }
}

/// `Purpose`, `Sec-Purpose`: the browser fetches ahead, nobody has followed the link yet.
fn is_prefetch(purpose: &str) -> bool {
    let text = purpose.as_bytes();
    (0..text.len()).any(|at| {
        text.get(at..)
            .is_some_and(|rest| ["prefetch", "preview", "prerender"].iter().any(|mark| begins_with(rest, mark)))
    })
}

#[cfg(test)]
mod tests {
    use super::is_bot;

    const PHONE: &str =
        "Mozilla/5.0 (Linux; Android 12; CUBOT P50) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36";

    #[test]
    fn declared_bots_are_bots_whatever_their_case() {
        for agent in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "curl/8.5.0",
            "WhatsApp/2.23.20.0",
            "facebookexternalhit/1.1",
            "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0 Safari/537.36",
            "PYTHON-requests/2.31",
            "",
            "  ",
        ] {
            assert!(is_bot(Some(agent), Some("GET"), None), "{agent}");
        }
    }

    #[test]
    fn browsers_phones_named_cubot_and_missing_user_agents_are_not() {
        for agent in [
            PHONE,
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
        ] {
            assert!(!is_bot(Some(agent), Some("GET"), None), "{agent}");
        }
        assert!(!is_bot(None, None, None));
        assert!(is_bot(Some(&format!("{PHONE} Googlebot/2.1")), None, None));
    }

    #[test]
    fn head_requests_and_prefetches_are_bots() {
        assert!(is_bot(Some(PHONE), Some("HEAD"), None));
        assert!(is_bot(None, Some("head"), None));
        assert!(is_bot(Some(PHONE), Some("GET"), Some("prefetch;prerender")));
        assert!(is_bot(None, None, Some("Preview")));
        assert!(!is_bot(Some(PHONE), Some("GET"), Some("")));
    }
}
