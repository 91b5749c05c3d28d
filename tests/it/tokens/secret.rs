//! The secret: where it is, what it looks like, who sees it.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use tributary::run::Options;
use tributary::run::secret::{From, keys};
use tributary::tokens::{Error, Keys, Secret, Secrets, Text};

use super::{Desk, OURS, json_of, shown};

const OTHER: &str = "ffffffffffffffffffffffffffffffff";

#[test]
fn a_secret_stands_alone_or_with_the_one_before_it() {
    let alone = Secrets::parse(&format!("\n  {OURS}\n# a word\n")).unwrap();
    assert_eq!((alone.current().epoch(), alone.previous()), (1, None));
    let both = Secrets::parse(&format!("1 {OTHER}\n7\t{OURS}\n")).unwrap();
    assert_eq!((both.current().epoch(), both.current().text().reveal()), (7, OURS));
    assert_eq!(both.of(1).unwrap().text().reveal(), OTHER);
    assert_eq!(both.of(2), None);
    assert_eq!(Secrets::parse(both.render().reveal()), Ok(both));
}

#[test]
fn what_is_no_secret_is_refused_and_not_told() {
    let published = Secret::published().text().reveal().to_owned();
    let cases = [
        (String::new(), Error::Empty),
        ("# nothing\n".to_owned(), Error::Empty),
        (OURS[1..].to_owned(), Error::Letters { line: 1 }),
        ("x".repeat(257), Error::Letters { line: 1 }),
        (format!("1 {OURS} more"), Error::Letters { line: 1 }),
        (format!("{OURS}ü"), Error::Letters { line: 1 }),
        (format!("one {OURS}"), Error::Epoch { line: 1 }),
        (format!("0 {OURS}"), Error::Epoch { line: 1 }),
        (format!("{OURS}\n2 {OTHER}"), Error::Epoch { line: 1 }),
        (format!("2 {OURS}\n2 {OTHER}"), Error::Twice { line: 2 }),
        (format!("1 {OURS}\n2 {OTHER}\n3 {OTHER}"), Error::TooMany),
        (format!("# test\n{published}"), Error::Published { line: 2 }),
    ];
    for (text, expected) in cases {
        let error = Secrets::parse(&text).unwrap_err();
        assert_eq!(error, expected, "{text}");
        for secret in [OURS, OTHER, &published] {
            assert!(!format!("{error} {error:?}").contains(secret), "{error}");
        }
    }
}

#[test]
fn nothing_shows_it() {
    let secrets = Secrets::parse(&format!("2 {OURS}\n1 {OTHER}")).unwrap();
    let keys = Keys::new(secrets.current());
    let options = Options { secret: From::Variable(Text::new(OURS.to_owned())), ..Options::new("x") };
    let shown = format!("{secrets:?} {:?} {keys:?} {options:?} {:?}", secrets.current(), secrets.render());
    assert!(!shown.contains(&OURS[..8]) && !shown.contains(&OTHER[..8]), "{shown}");
    let desk = Desk::new();
    let shown = desk.command(&["config", "show"]).env("TRIBUTARY_TOKENS_SECRET", OURS).output().unwrap();
    assert!(shown.status.success());
    let said = [shown.stdout, shown.stderr].concat();
    assert!(!String::from_utf8(said).unwrap().contains(&OURS[..8]));
}

#[test]
fn on_one_machine_it_is_made_when_it_is_first_needed_and_then_stays() {
    let desk = Desk::new();
    assert_eq!(desk.run(&["tokens", "show"]).status.code(), Some(1), "there is none yet");
    let line = r#"{"type":"Creator","event_id":"e","creator_id":"c","occurred_at":5,"name":"C","currency":"EUR","time_zone":"UTC"}"#;
    desk.write("c.ndjson", line);
    desk.json(0, &["import", "c.ndjson"]);
    let file = desk.path("data/tokens.secret");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().last().unwrap().len(), "1 ".len() + 64, "256 random bits");
    desk.json(0, &["import", "c.ndjson"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let shown = desk.json(0, &["tokens", "show"]);
    assert_eq!((&shown["epochs"][0]["epoch"], shown["epochs"].as_array().unwrap().len()), (&json!(1), 1));
    assert!(!desk.path("data/tokens.secret.new").exists());
}

#[test]
fn on_many_machines_there_is_none_unless_it_is_set() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options::new(dir.path());
    assert!(keys(&options, false).unwrap().is_none());
    assert!(keys(&options, true).unwrap().is_some(), "one machine makes it");
    assert!(keys(&options, false).unwrap().is_none(), "one that a folder has from before is that folder's alone");
    let file = dir.path().join("shared");
    let options = Options { secret: From::File(file.clone()), ..options };
    let error = keys(&options, false).unwrap_err();
    assert!(error.to_string().contains("shared"), "a file that is set must be there: {error}");
    let desk = Desk::new();
    let mut started = desk.command(&["run", "--listen", "127.0.0.1:0"]);
    let output = started.env("TRIBUTARY_TOKENS_SECRET_FILE", "shared").output().unwrap();
    assert!(output.status.code() == Some(1) && shown(&output).contains("shared"), "{}", shown(&output));
    let mut asked = desk.command(&["tokens", "show"]);
    let output = asked.env("TRIBUTARY_KAFKA_BROKERS", "k:9092").output().unwrap();
    assert!(output.status.code() == Some(1) && shown(&output).contains("`tokens.secret_file`"), "{}", shown(&output));
    std::fs::write(&file, OURS).unwrap();
    assert_eq!(keys(&options, false).unwrap().unwrap().check(), "6b0d6c76");
}

#[test]
fn a_variable_beats_a_file_and_a_file_the_folder() {
    let desk = Desk::new();
    desk.write("secret", OURS);
    desk.write("c.toml", "[tokens]\nsecret_file = \"secret\"\n");
    let check = |command: &mut std::process::Command| json_of(0, &command.output().unwrap())["epochs"][0].clone();
    let with_file = ["tokens", "show", "--json", "--config", "c.toml"];
    assert_eq!(check(&mut desk.command(&with_file))["check"], "6b0d6c76");
    let two = check(desk.command(&with_file).env("TRIBUTARY_TOKENS_SECRET", format!("2 {OURS}")));
    assert_eq!((&two["epoch"], &two["check"]), (&json!(2), &json!("9779ec0e")));
    let mut short = desk.command(&["config", "check"]);
    let output = short.env("TRIBUTARY_TOKENS_SECRET", "hunter2").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert!(shown(&output).contains("TRIBUTARY_TOKENS_SECRET") && !shown(&output).contains("hunter2"));
    let named = desk.command(&["tokens", "show", "--json"]).env("TRIBUTARY_TOKENS_SECRET_FILE", "secret").output();
    assert_eq!(json_of(0, &named.unwrap())["epochs"][0]["check"], "6b0d6c76");
}

#[test]
fn the_command_prints_vectors_and_makes_tokens_of_values() {
    let desk = Desk::new();
    let printed = desk.run(&["tokens"]);
    let text = String::from_utf8(printed.stdout).unwrap();
    assert!(text.starts_with("PUBLISHED TEST SECRET") && text.contains("9f2b248b101db77de23d0a5e73e6def1"), "{text}");
    let vectors = desk.json(0, &["tokens"]);
    assert_eq!(vectors["vectors"][2]["ip56_token"], "e38c13b09a7de07ee10afd5441ad2906");
    assert!(!desk.path("data").exists(), "asking makes no folder");
    desk.write("secret", OURS);
    let ours = desk.json(0, &["tokens", "--secret", "secret"]);
    let first = &ours["vectors"][0]["ip_token"];
    assert_eq!((first, &ours["published_secret"]), (&json!("0f31f8047f1742edd5e93f72345f3464"), &json!(null)));

    let of = |arguments: &[&str], input: &str| {
        let mut all = vec!["tokens", "of", "--json"];
        all.extend_from_slice(arguments);
        let mut command = desk.command(&all);
        command.env("TRIBUTARY_TOKENS_SECRET_FILE", "secret");
        if input.is_empty() {
            return command.output().unwrap();
        }
        std::fs::write(desk.path("in"), input).unwrap();
        command.stdin(std::fs::File::open(desk.path("in")).unwrap()).output().unwrap()
    };
    let told = json_of(0, &of(&["ip"], "81.2.69.142\n10.0.0.1\n"));
    let expected = json!([{"ip_token": "0f31f8047f1742edd5e93f72345f3464", "ip56_token": null},
                          {"ip_token": null, "ip56_token": null}]);
    assert_eq!((&told["tokens"], &told["epoch"]), (&expected, &json!(1)));
    assert_eq!(
        json_of(0, &of(&["device", "fp-7c1b9e"], ""))["tokens"][0]["device_token"],
        "764cdcdb3910eaceba25d6a5886a7353"
    );
    let wrong = of(&["ip"], "81.2.69.142\n81.2.69.14x\n");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(shown(&wrong).contains("value 2") && !shown(&wrong).contains("14x"), "{}", shown(&wrong));
    assert!(shown(&of(&["ip", "--epoch", "2", "81.2.69.142"], "")).contains("epoch 2 is not kept"));
    assert_eq!(desk.run(&["tokens", "of", "iban"]).status.code(), Some(2));
}
