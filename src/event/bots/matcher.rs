//! The lists as two automata: phrases, which most patterns are, in one; the few true expressions in another.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::bytes::{RegexSet, RegexSetBuilder};

use super::kind::BotKind;
use super::lists::{self, Around, Entry, Text};

/// Never built of what a request says, so nothing a request says makes it slow: one pass over the text each.
pub(super) struct Matcher {
    exceptions: AhoCorasick,
    phrases: AhoCorasick,
    /// What else is asked of a phrase that was found, by its number in `phrases`.
    marks: Vec<Mark>,
    expressions: RegexSet,
    /// By number in `expressions`.
    kinds: Vec<BotKind>,
}

/// A phrase, and where it counts.
struct Mark {
    kind: BotKind,
    phrase: String,
    minds_case: bool,
    is_at_start: bool,
    around: Option<Around>,
}

impl Matcher {
    pub(super) fn new() -> Self {
        let (mut marks, mut expressions, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
        for entry in lists::entries() {
            let found = marks_of(&entry);
            if let (true, Text::Expression(pattern)) = (found.is_empty(), entry.text) {
                expressions.push(expression(pattern, entry.minds_case));
                kinds.push(entry.kind);
            }
            marks.extend(found);
        }
        let phrases = marks.iter().map(|mark: &Mark| mark.phrase.as_str());
        Self {
            exceptions: automaton(MatchKind::LeftmostLongest, lists::exceptions()),
            phrases: automaton(MatchKind::Standard, phrases),
            expressions: RegexSetBuilder::new(expressions)
                .unicode(false)
                .build()
                .expect("the lists are part of the program, and each of their patterns is tried by a test"),
            marks,
            kinds,
        }
    }

    /// What the lists say of a user agent.
    pub(super) fn find(&self, agent: &[u8]) -> Option<BotKind> {
        let text = self.without_exceptions(agent);
        let phrases = self.phrases.find_overlapping_iter(&*text).filter_map(|found| {
            let mark = self.marks.get(found.pattern().as_usize())?;
            mark.counts(&text, found.start(), found.end()).then_some(mark.kind)
        });
        let expressions = self.expressions.matches(&text);
        phrases.chain(expressions.iter().filter_map(|number| self.kinds.get(number).copied())).min()
    }

    /// Each replaced by letters that mean nothing, so that what stood beside it does not meet.
    fn without_exceptions<'a>(&self, agent: &'a [u8]) -> Cow<'a, [u8]> {
        let mut text = Cow::Borrowed(agent);
        for found in self.exceptions.find_iter(agent) {
            if let Some(place) = text.to_mut().get_mut(found.range()) {
                place.fill(b'x');
            }
        }
        text
    }
}

impl Mark {
    fn counts(&self, text: &[u8], start: usize, end: usize) -> bool {
        let (Some(before), Some(found), Some(after)) = (text.get(..start), text.get(start..end), text.get(end..))
        else {
            return false;
        };
        (!self.minds_case || found == self.phrase.as_bytes())
            && (!self.is_at_start || before.is_empty())
            && self.around.is_none_or(|around| around.allows(before, after))
    }
}

impl Around {
    fn allows(&self, before: &[u8], after: &[u8]) -> bool {
        let ends = |end: &&str| {
            before.len().checked_sub(end.len()).and_then(|from| before.get(from..)).is_some_and(|tail| same(tail, end))
        };
        let begins = |begin: &&str| after.get(..begin.len()).is_some_and(|head| same(head, begin));
        let goes_on = self.ends && after.first().is_some_and(u8::is_ascii_alphanumeric);
        !(goes_on || self.not_after.iter().any(ends) || self.not_before.iter().any(begins))
    }
}

fn same(text: &[u8], word: &str) -> bool {
    text.eq_ignore_ascii_case(word.as_bytes())
}

fn automaton<'p>(kind: MatchKind, phrases: impl Iterator<Item = &'p str>) -> AhoCorasick {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(kind)
        .build(phrases)
        .expect("some thousand phrases are far below what an automaton holds")
}

/// The phrases that an entry is; none if it is a true expression.
fn marks_of(entry: &Entry) -> Vec<Mark> {
    let mark = |phrase: String, is_at_start: bool, around: Option<Around>| Mark {
        kind: entry.kind,
        phrase,
        minds_case: entry.minds_case,
        is_at_start,
        around,
    };
    match entry.text {
        Text::Phrase(phrase) => vec![mark(phrase.to_owned(), false, None)],
        Text::Around(around) => around.words.iter().map(|word| mark((*word).to_owned(), false, Some(around))).collect(),
        Text::Expression(pattern) => {
            let at_start = pattern.strip_prefix('^');
            let phrase = phrase_of(at_start.unwrap_or(pattern));
            phrase.map(|phrase| mark(phrase, at_start.is_some(), None)).into_iter().collect()
        }
    }
}

/// The text that an expression stands for, if it is one text.
fn phrase_of(expression: &str) -> Option<String> {
    let mut phrase = String::new();
    let mut letters = expression.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => phrase.push(letters.next().filter(char::is_ascii_punctuation)?),
            '^' | '$' | '.' | '|' | '?' | '*' | '+' | '(' | ')' | '[' | ']' | '{' | '}' => return None,
            _ => phrase.push(letter),
        }
    }
    Some(phrase)
}

/// In the words of the engine: JavaScript lets a class of letters stand left of a hyphen that means itself.
fn expression(pattern: &str, minds_case: bool) -> String {
    let flags = if minds_case { "" } else { "(?i)" };
    format!("{flags}{}", pattern.replace(r"[\w\d-.]", r"[\w\d.-]"))
}
