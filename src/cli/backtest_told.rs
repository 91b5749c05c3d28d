//! A back-test's report, for people and for pages.

use crate::ids::Currency;
use crate::web::minor_digits;
use crate::worker::backtest::{Amount, Changed, Member, Money, Report};

/// A part of the report as a table: what it is about, its columns, its lines.
struct Table {
    title: String,
    columns: Vec<&'static str>,
    lines: Vec<Vec<String>>,
}

fn tables(report: &Report) -> Vec<Table> {
    let verdicts = report.verdicts.iter().map(|it| {
        let mark = if it.today == it.candidate { "" } else { "changed" };
        vec![it.subject.clone(), it.today.clone(), it.candidate.clone(), it.subjects.to_string(), mark.to_owned()]
    });
    let rules = report.rules.iter().map(|it| vec![it.rule_id.clone(), it.today.to_string(), it.candidate.to_string()]);
    let mut tables = vec![
        Table {
            title: "Verdicts".to_owned(),
            columns: vec!["subject", "today", "candidate", "subjects", ""],
            lines: verdicts.collect(),
        },
        Table {
            title: "Rules that fire".to_owned(),
            columns: vec!["rule", "today", "candidate"],
            lines: rules.collect(),
        },
    ];
    if !report.money.is_empty() {
        tables.push(Table {
            title: "Money that would stand elsewhere".to_owned(),
            columns: vec!["currency", "what", "from", "to", "count", "amount"],
            lines: report.money.iter().flat_map(money).collect(),
        });
    }
    if report.members.affected > 0 {
        tables.push(Table {
            title: format!("Members affected: {}, the first {}", report.members.affected, report.members.first.len()),
            columns: vec!["creator", "member", "clicks", "conversions", "commissions", "money"],
            lines: report.members.first.iter().map(member).collect(),
        });
    }
    tables
}

fn money(money: &Money) -> Vec<Vec<String>> {
    let currency = money.currency.clone();
    let line = |what: &str, from: &str, to: &str, of: Amount| {
        [currency.as_str(), what, from, to, &of.count.to_string(), &decimal(of.amount, &currency)]
            .map(str::to_owned)
            .to_vec()
    };
    let moved = |it: &Changed| line("commissions", &it.from, &it.to, it.amount);
    let mut lines: Vec<Vec<String>> = money.commissions.iter().map(moved).collect();
    if money.revenue_newly_blocked.count > 0 {
        lines.push(line("orders", "counted", "blocked", money.revenue_newly_blocked));
    }
    if money.revenue_no_longer_blocked.count > 0 {
        lines.push(line("orders", "blocked", "counted", money.revenue_no_longer_blocked));
    }
    lines
}

fn member(member: &Member) -> Vec<String> {
    let mut money = Vec::new();
    for it in &member.money {
        for (name, amount) in [
            ("held", it.commission_held),
            ("approved", it.commission_approved),
            ("carry", it.commission_carry),
            ("revenue blocked", it.revenue_blocked),
        ] {
            if amount != 0 {
                let sign = if amount > 0 { "+" } else { "" };
                money.push(format!("{name} {sign}{} {}", decimal(amount, &it.currency), it.currency));
            }
        }
    }
    let changed = member.changed;
    vec![
        member.creator_id.clone(),
        member.member_id.clone(),
        changed.clicks.to_string(),
        changed.conversions.to_string(),
        changed.commissions.to_string(),
        money.join(", "),
    ]
}

fn head(report: &Report) -> Vec<String> {
    let events: u64 = report.replayed.iter().map(|it| it.to - it.from.min(it.to)).sum();
    let (compared, changed) = (report.compared, report.changed);
    let candidate = format!("{}, version {}", report.candidate.id, report.candidate.version);
    vec![
        format!("{} changes under {candidate}", changed.sum()),
        format!(
            "positions replayed: {events} in {} partitions; events folded: {}",
            report.replayed.len(),
            report.events
        ),
        format!(
            "compared: {} clicks, {} conversions, {} commissions",
            compared.clicks, compared.conversions, compared.commissions
        ),
        format!(
            "changed: {} clicks, {} conversions, {} commissions",
            changed.clicks, changed.conversions, changed.commissions
        ),
    ]
}

/// For a person at a terminal.
pub(super) fn text(report: &Report) -> String {
    let mut text = head(report).join("\n");
    text.push('\n');
    for Table { title, columns, lines } in tables(report) {
        text.push_str(&format!("\n{title}\n"));
        let columns: Vec<String> = columns.into_iter().map(str::to_owned).collect();
        let width = |at: usize| {
            let cells = lines.iter().chain([&columns]).filter_map(|line| line.get(at));
            cells.map(|cell| shown(cell).chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns.len()).map(width).collect();
        for line in std::iter::once(&columns).chain(&lines) {
            let cells = line.iter().zip(&widths).map(|(cell, width)| {
                let cell = shown(cell);
                format!("{cell}{}", " ".repeat(width.saturating_sub(cell.chars().count())))
            });
            let row: Vec<String> = cells.collect();
            text.push_str(&format!("  {}\n", row.join("  ").trim_end()));
        }
    }
    text
}

/// An id may be anything; a terminal must not obey it.
fn shown(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{FFFD}' } else { letter }).collect()
}

/// For a page: an HTML fragment.
pub(super) fn page(report: &Report) -> String {
    let mut html = String::from("<section class=\"backtest\">\n");
    for line in head(report) {
        html.push_str(&format!("<p>{}</p>\n", escaped(&line)));
    }
    for Table { title, columns, lines } in tables(report) {
        let head: String = columns.iter().map(|name| format!("<th scope=\"col\">{}</th>", escaped(name))).collect();
        html.push_str(&format!(
            "<table>\n<caption>{}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n",
            escaped(&title)
        ));
        for line in lines {
            let cells: String = line.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
            html.push_str(&format!("<tr>{cells}</tr>\n"));
        }
        html.push_str("</tbody>\n</table>\n");
    }
    html.push_str("</section>\n");
    html
}

/// An id may be anything; a page must show it and not run it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter if letter.is_control() => out.push('\u{FFFD}'),
            letter => out.push(letter),
        }
    }
    out
}

/// Minor units as people write them.
fn decimal(amount: i64, currency: &str) -> String {
    let digits = Currency::parse(currency).map_or(0, |currency| u32::from(minor_digits(currency)));
    let (sign, magnitude) = (if amount < 0 { "-" } else { "" }, amount.unsigned_abs());
    if digits == 0 {
        return format!("{sign}{magnitude}");
    }
    let one = 10_u64.pow(digits);
    let width = usize::try_from(digits).unwrap_or_default();
    format!("{sign}{}.{:0width$}", magnitude / one, magnitude % one)
}
