//! Paths and query strings as values: decoded, and refused when they say more than is understood.

use super::problem::Problem;
use crate::ids::ID_BYTES_MAX;

/// The parameters of a query string. A name that is not expected, or comes twice, is refused: a mistyped one must
/// not change the answer silently.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(text: Option<&str>, expected: &[&str]) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name, true).ok_or_else(|| Problem::parameter(name, "a name is not valid UTF-8"))?;
            if !expected.contains(&name.as_str()) {
                let detail = match expected {
                    [] => format!("there is no parameter `{name}`: this path takes none"),
                    _ => format!("there is no parameter `{name}`; there are: {}", expected.join(", ")),
                };
                return Err(Problem::parameter(&name, detail));
            }
            if pairs.iter().any(|(earlier, _)| *earlier == name) {
                return Err(Problem::parameter(&name, format!("`{name}` is given twice")));
            }
            let value = decode(value, true)
                .ok_or_else(|| Problem::parameter(&name, format!("`{name}` is not valid percent-encoded UTF-8")))?;
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// A parameter without a value says nothing, and is no default either.
    pub(super) fn refuse_empty(&self) -> Result<(), Problem> {
        match self.0.iter().find(|(_, value)| value.is_empty()) {
            Some((name, _)) => {
                Err(Problem::parameter(name, format!("`{name}` is empty; say what it is, or leave it out")))
            }
            None => Ok(()),
        }
    }

    /// The value of `name`; an empty one is as good as none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(given, _)| given == name)?;
        (!value.is_empty()).then_some(value.as_str())
    }

    pub(super) fn limit(&self, default: usize, max: usize) -> Result<usize, Problem> {
        let Some(text) = self.get("limit") else { return Ok(default) };
        match text.parse() {
            Ok(limit) if (1..=max).contains(&limit) => Ok(limit),
            Ok(_) | Err(_) => Err(Problem::parameter("limit", format!("`limit` must be 1 to {max}"))),
        }
    }
}

/// An id from a path: decoded, 1 to 64 bytes.
pub(super) fn id(name: &str, raw: &str) -> Result<String, Problem> {
    // Derived commissions are called `auto:{conversion}:{member}`.
    let max = match name {
        "commission" => 2 * ID_BYTES_MAX + "auto::".len(),
        "review" => 2 * ID_BYTES_MAX + "commission:auto::".len(),
        _ => ID_BYTES_MAX,
    };
    decode(raw, false)
        .filter(|id| (1..=max).contains(&id.len()))
        .ok_or_else(|| Problem::parameter(name, format!("`{name}` must be 1 to {max} bytes of UTF-8")))
}

/// Undoes percent-encoding, and `+` for a blank in query strings; `None` when it is malformed or not UTF-8.
fn decode(text: &str, plus_is_blank: bool) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            b'+' if plus_is_blank => b' ',
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// A cursor: opaque to callers, safe in a URL. It says which `list` it belongs to: taken to another, or to another
/// order, it is refused.
pub(super) fn cursor(list: &str, parts: &[&str]) -> String {
    let text = [&[list], parts].concat().join("\u{1f}");
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The parts that [`cursor`] was given, `N` of them. Only the last may hold the separator.
pub(super) fn read_cursor<const N: usize>(query: &Query, list: &str) -> Result<Option<[String; N]>, Problem> {
    let Some(text) = query.get("cursor") else { return Ok(None) };
    uncursor(text, list).map(Some).ok_or_else(malformed_cursor)
}

fn uncursor<const N: usize>(text: &str, list: &str) -> Option<[String; N]> {
    let digits: Vec<u8> = text.bytes().map(hex).collect::<Option<_>>()?;
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(high << 4 | low),
        _ => None,
    });
    let joined = String::from_utf8(pairs.collect::<Option<_>>()?).ok()?;
    let (of, parts) = joined.split_once('\u{1f}')?;
    let parts: Vec<String> = parts.splitn(N, '\u{1f}').map(str::to_owned).collect();
    parts.try_into().ok().filter(|_| of == list)
}

/// For a cursor whose parts are not what they must be.
pub(super) fn malformed_cursor() -> Problem {
    Problem::parameter("cursor", "`cursor` is not one that was given out here")
}
