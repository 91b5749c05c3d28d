//! `tributary backtest`, as people, scripts and pages read it.

use super::{Shell, serve};

const PROGRAMME: [&str; 9] =
    ["simulate", "--creators", "2", "--members", "40", "--events", "3000", "--start", "2026-01-05T00:00:00Z"];

const STRICT: &str = r#"
id = "strict"
version = "2"
base = "guarded-v1"

[points]
"click.bot" = 71
"abuse.refund" = 90

[thresholds]
customer_refunds = 1
customer_refunds_orders = 1

[guards]
shared_ip = false
"#;

fn filled() -> Shell {
    let shell = Shell::new();
    shell.run(&[&PROGRAMME[..], &["--out", "p.ndjson"]].concat()).assert_code(0);
    shell.json(0, &["import", "p.ndjson"]);
    shell
}

#[test]
fn a_rule_set_that_is_in_force_prints_no_changes() {
    let shell = filled();
    let ran = shell.run(&["backtest", "--rules", "guarded-v1"]);
    ran.assert_code(0);
    assert!(ran.out.starts_with("0 changes under guarded-v1, version 1\n"), "{}", ran.out);
    let report = shell.json(0, &["backtest", "--rules", "guarded-v1"]);
    assert_eq!(report["members"]["affected"], 0);
    assert_eq!(report["money"], serde_json::json!([]));
}

#[test]
fn toml_and_json_say_the_same_and_every_format_shows_it() {
    let shell = filled();
    shell.write("strict.toml", STRICT);
    let json = serde_json::json!({
        "id": "strict", "version": "2", "points": {"click.bot": 71, "abuse.refund": 90},
        "thresholds": {"customer_refunds": 1, "customer_refunds_orders": 1}, "guards": {"shared_ip": false},
    });
    shell.write("strict.json", &json.to_string());
    let report = shell.json(0, &["backtest", "--rules", "strict.toml", "--format", "json"]);
    assert_eq!(report, shell.json(0, &["backtest", "--rules", "strict.json"]));
    let changed = report["changed"].as_object().unwrap().values().map(|it| it.as_u64().unwrap()).sum::<u64>();
    assert!(changed > 0, "{report}");
    let text = shell.run(&["backtest", "--rules", "strict.toml"]);
    assert!(text.out.starts_with(&format!("{changed} changes under strict, version 2\n")), "{}", text.out);
    let page = shell.run(&["backtest", "--rules", "strict.toml", "--format", "table"]);
    assert!(
        page.out.starts_with("<section class=\"backtest\">\n<p>") && page.out.contains("<caption>Verdicts</caption>")
    );
    let part =
        shell.json(0, &["backtest", "--rules", "strict.json", "--from", "2026-02-01T00:00:00Z", "--members", "1"]);
    assert!(part["compared"]["clicks"].as_u64() < report["compared"]["clicks"].as_u64(), "{part}");
    assert!(part["members"]["first"].as_array().unwrap().len() <= 1);
}

#[test]
fn an_id_is_shown_and_neither_run_nor_obeyed() {
    let shell = Shell::new();
    let event = |n: u32, body: &str| {
        format!(r#"{{"event_id":"e{n}","creator_id":"<i>c","occurred_at":17672256{n:05},{body}}}"#)
    };
    let lines = [
        event(1, r#""type":"Creator","name":"C","currency":"EUR","time_zone":"UTC""#),
        event(2, r#""type":"Member","member_id":"<script>\u001b[2J""#),
        event(3, r#""type":"Click","click_id":"k","member_id":"<script>\u001b[2J","user_agent":"curl/8.5.0""#),
    ];
    shell.write("odd.ndjson", &lines.join("\n"));
    shell.json(0, &["import", "odd.ndjson"]);
    shell.write("strict.toml", STRICT);
    let page = shell.run(&["backtest", "--rules", "strict.toml", "--format", "table"]);
    assert!(
        page.out.contains("&lt;script&gt;") && !page.out.contains("<script") && !page.out.contains("<i>"),
        "{}",
        page.out
    );
    let text = shell.run(&["backtest", "--rules", "strict.toml"]);
    assert!(text.out.contains("<script>") && !text.out.contains('\u{1b}'), "{}", text.out);
}

#[test]
fn what_is_no_rule_set_is_said_with_its_field() {
    let shell = Shell::new();
    let cases = [
        ("[points]\n\"click.bot\" = 71\n", "`id` must be there"),
        ("id = \"x\"\n[points]\n\"click.bots\" = 71\n", "`points.click.bots`: unknown field"),
        ("id = \"x\"\n[points]\n\"click.bot\" = \"many\"\n", "`points.click.bot`: invalid type"),
        ("id = \"x\"\n[points]\n\"click.bot\" = 1001\n", "`points.click.bot` is 1001; at most 1000 is allowed"),
        ("id = \"x\"\n[thresholds]\nclicks_ip_hour = 201\n", "`thresholds.clicks_ip_hour` is 201; at most 200"),
        ("id = \"x\"\nbase = \"best\"\n", "shipped rule sets are"),
        ("id = \"x\"\n[pionts]\n", "unknown field `pionts`, expected one of"),
        ("id = \"seed-v1\"\n[points]\n", "is shipped: choose another `id`"),
        ("id = \n", "is no TOML"),
        ("{\"id\": }", "is no JSON"),
    ];
    for (text, why) in cases {
        shell.write("rules.toml", text);
        shell.run(&["backtest", "--rules", "rules.toml"]).assert_code(2).assert_error(&[why]);
    }
    shell.run(&["backtest", "--rules", "nowhere.toml"]).assert_code(2).assert_error(&["nowhere.toml", "guarded-v1"]);
    let from_to = ["--from", "2026-02-01T00:00:00Z", "--to", "2026-02-01T00:00:00Z"];
    let ran = shell.run(&[&["backtest", "--rules", "seed-v1"][..], &from_to].concat());
    ran.assert_code(2).assert_error(&["--from must be before --to"]);
}

#[test]
fn a_running_server_does_it_and_goes_on() {
    let shell = filled();
    let alone = shell.json(0, &["backtest", "--rules", "seed-v1"]);
    let server = serve::Server::start(&shell);
    let beside = shell.json(0, &["backtest", "--rules", "seed-v1"]);
    for part in ["compared", "changed", "verdicts", "rules", "money", "members"] {
        assert_eq!(beside[part], alone[part], "{part}");
    }
    assert_eq!(server.stop(), Some(0));
}
