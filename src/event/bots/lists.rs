//! The lists as they lie beside this file, line by line, and what of them cannot be taken as it stands.

use super::kind::BotKind;

/// Crawlers by name, each with its tags. Letters count as they are.
const CRAWLERS: &str = include_str!("crawler-user-agents.tsv");
/// Words that only bots use. Upper and lower case are the same.
const WORDS: &str = include_str!("isbot.txt");
/// Kinds and phrases of our own. Upper and lower case are the same.
const OURS: &str = include_str!("ours.tsv");
/// Phrases of browsers that the lists take for bots. Upper and lower case are the same.
const EXCEPTIONS: &str = include_str!("exceptions.txt");

/// A pattern, and what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: BotKind,
    pub(super) text: Text,
    /// `a` is not `A`.
    pub(super) minds_case: bool,
}

/// How a pattern is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    Expression(&'static str),
    Phrase(&'static str),
    /// An expression that looks around itself.
    Around(Around),
}

/// Words, unless something stands right before or after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Around {
    expression: &'static str,
    pub(super) words: &'static [&'static str],
    pub(super) not_after: &'static [&'static str],
    pub(super) not_before: &'static [&'static str],
    /// No letter or digit follows.
    pub(super) ends: bool,
}

/// The expressions that look around themselves, which no engine of linear time does: by hand. All are of `WORDS`.
const AROUND: [Around; 6] = [
    Around {
        expression: r"(?:^|[^g])news(?!sapphire)",
        words: &["news"],
        not_after: &["g"],
        not_before: &["sapphire"],
        ends: false,
    },
    Around {
        expression: r"(?<! channel/|google/)google(?!(?:wv|app|/google| pixel))",
        words: &["google"],
        not_after: &[" channel/", "google/"],
        not_before: &["wv", "app", "/google", " pixel"],
        ends: false,
    },
    Around {
        expression: r"(?<! cu)bots?(?:\b|_)",
        words: &["bot", "bots"],
        not_after: &[" cu"],
        not_before: &[],
        ends: true,
    },
    Around { expression: "(?<!cam)scan", words: &["scan"], not_after: &["cam"], not_before: &[], ends: false },
    Around { expression: "(?<!lib)http", words: &["http"], not_after: &["lib"], not_before: &[], ends: false },
    Around { expression: "java(?!;)", words: &["java"], not_after: &[], not_before: &[";"], ends: false },
];

/// All lists.
pub(super) fn entries() -> impl Iterator<Item = Entry> {
    let crawlers = columns(CRAWLERS).map(|(tags, pattern)| Entry {
        kind: tags.split(',').find_map(kind_of_tag).unwrap_or(BotKind::Declared),
        text: Text::Expression(pattern),
        minds_case: true,
    });
    let words = WORDS.lines().map(|pattern| {
        let around = AROUND.into_iter().find(|around| around.expression == pattern);
        let text = around.map_or(Text::Expression(pattern), Text::Around);
        Entry { kind: BotKind::Declared, text, minds_case: false }
    });
    let ours = columns(OURS).map(|(kind, phrase)| Entry {
        kind: BotKind::parse(kind).expect("ours.tsv names kinds"),
        text: Text::Phrase(phrase),
        minds_case: false,
    });
    crawlers.chain(words).chain(ours)
}

/// Phrases that are no mark.
pub(super) fn exceptions() -> impl Iterator<Item = &'static str> {
    EXCEPTIONS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn columns(list: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    list.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
}

/// Other tags say what a crawler is for, not what it is.
fn kind_of_tag(tag: &str) -> Option<BotKind> {
    match tag {
        "social-preview" => Some(BotKind::SocialPreview),
        "http-library" => Some(BotKind::HttpLibrary),
        "browser-automation" => Some(BotKind::Headless),
        _ => None,
    }
}
