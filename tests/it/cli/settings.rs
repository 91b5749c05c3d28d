//! Settings: one reference, and errors that name the place and what to write.

use tributary::config::Config;

use super::Shell;

const REFERENCE: &str = include_str!("../../../deploy/config.toml");

#[test]
fn the_reference_is_what_the_program_does_without_settings() {
    let read: Config = toml::from_str(REFERENCE).unwrap();
    assert_eq!(read, Config::default());
    let table: toml::Table = REFERENCE.parse().unwrap();
    let mut named: Vec<String> = Vec::new();
    for (key, value) in &table {
        match value.as_table() {
            Some(group) => named.extend(group.keys().map(|inner| format!("{key}.{inner}"))),
            None => named.push(key.clone()),
        }
    }
    named.sort();
    let mut known = Config::names();
    known.sort();
    assert_eq!(named, known, "deploy/config.toml names every setting, and no other");
}

#[test]
fn the_reference_documents_every_setting() {
    let lines: Vec<&str> = REFERENCE.lines().collect();
    for pair in lines.windows(2) {
        let is_setting = pair[1].contains(" = ") && !pair[1].starts_with('#');
        assert!(!is_setting || pair[0].starts_with('#'), "no word about `{}`", pair[1]);
    }
}

#[test]
fn an_unknown_setting_is_refused_with_its_line_and_the_nearest_name() {
    let shell = Shell::new();
    shell.write("c.toml", "listen = \"127.0.0.1:0\"\n\n[worker]\ncomit_ms = 5\n");
    let ran = shell.run(&["config", "check", "--config", "c.toml"]);
    ran.assert_code(2).assert_error(&["c.toml:4", "worker.comit_ms", "did you mean `worker.commit_ms`?"]);
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_its_line() {
    let shell = Shell::new();
    shell.write("c.toml", "[log]\npartitions = \"four\"\n");
    shell.run(&["config", "check", "--config", "c.toml"]).assert_code(2).assert_error(&[
        "c.toml",
        "line 2",
        "partitions",
    ]);
}

#[test]
fn a_value_out_of_range_names_the_setting_and_what_it_must_be() {
    let shell = Shell::new();
    shell.write("c.toml", "[log]\npartitions = 0\n");
    let ran = shell.run(&["config", "check", "--config", "c.toml"]);
    ran.assert_code(2).assert_error(&["`log.partitions` must be between 1 and 1,024"]);
    shell.write("d.toml", "listen = \"0.0.0.0:80\"\n");
    shell.run(&["config", "check", "--config", "d.toml"]).assert_code(0);
    shell.write("e.toml", "listen = \"0.0.0.0:80\"\ninsecure_dev = true\n");
    shell.run(&["config", "check", "--config", "e.toml"]).assert_code(2).assert_error(&[
        "`listen`",
        "this machine alone",
        "--insecure-dev",
    ]);
    shell.write("f.toml", "[keys]\nburst = 0\n");
    shell.run(&["config", "check", "--config", "f.toml"]).assert_code(2).assert_error(&["`keys.burst`"]);
}

#[test]
fn an_address_for_snapshots_that_cannot_be_is_refused_with_how_to_write_it() {
    let shell = Shell::new();
    for url in ["s3://", "file://here", "ftp://there"] {
        shell.write("c.toml", &format!("[snapshots]\nurl = \"{url}\"\n"));
        let ran = shell.run(&["config", "check", "--config", "c.toml"]);
        ran.assert_code(2).assert_error(&["`snapshots.url`", url, "file:///folder", "s3://bucket/prefix"]);
    }
    shell.write("d.toml", "[snapshots]\nurl = \"s3://bucket/prefix\"\n");
    shell.run(&["config", "check", "--config", "d.toml"]).assert_code(0);
}

#[test]
fn a_certificate_has_a_key_and_a_connection_that_is_encrypted() {
    let shell = Shell::new();
    for (settings, named) in [
        ("[kafka]\nsecurity = \"ssl\"\ncert_file = \"c.pem\"\n", "`kafka.key_file`"),
        ("[kafka]\ncert_file = \"c.pem\"\nkey_file = \"k.pem\"\n", "`kafka.security`"),
        ("[cql]\nca_file = \"ca.pem\"\nkey_file = \"k.pem\"\n", "`cql.key_file`"),
        ("[cql]\ncert_file = \"c.pem\"\nkey_file = \"k.pem\"\n", "`cql.ca_file`"),
        ("[cql]\nserver_name = \"node\"\n", "`cql.ca_file`"),
        ("[kafka]\nregistry_user = \"ada\"\n", "`kafka.registry_url`"),
    ] {
        shell.write("c.toml", settings);
        shell.run(&["config", "check", "--config", "c.toml"]).assert_code(2).assert_error(&[named]);
    }
}

#[test]
fn a_login_that_goes_unencrypted_is_warned_of_with_the_setting_to_change() {
    let log = "[kafka]\nbrokers = \"k:9092\"\nuser = \"ada\"\n";
    let database = "[cql]\nnodes = \"n:9042\"\nuser = \"ada\"\n";
    let registry = "registry_user = \"ada\"\nregistry_url";
    for (settings, named) in [
        (format!("{log}security = \"sasl_plaintext\"\n{database}"), vec!["kafka.security", "cql.ca_file"]),
        (format!("{log}{registry} = \"http://r\"\n{database}ca_file = \"ca.pem\"\n"), vec!["kafka.registry_url"]),
        (format!("{log}security = \"sasl_ssl\"\n{registry} = \"https://r\"\n"), vec![]),
        ("[kafka]\nsecurity = \"sasl_plaintext\"\n[cql]\nuser = \"ada\"\n".to_owned(), vec![]),
    ] {
        let config: Config = toml::from_str(&settings).unwrap();
        let found: Vec<&str> = config.logins_in_clear().into_iter().map(|(setting, _)| setting).collect();
        assert_eq!(found, named, "{settings}");
    }
    let shell = Shell::new();
    shell.write("c.toml", &format!("{log}{database}"));
    let mut command = shell.command(&["config", "check", "--config", "c.toml"]);
    let output = command.env("RUST_LOG", "warn").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("a login is not encrypted"), "{said}");
    assert!(said.contains("cql.ca_file"), "{said}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let shell = Shell::new();
    shell.run(&["config", "check", "--config", "nowhere.toml"]).assert_code(2).assert_error(&["nowhere.toml"]);
}

#[test]
fn a_variable_beats_the_file_and_a_flag_beats_both() {
    let shell = Shell::new();
    shell.write("c.toml", "data_dir = \"file\"\n[worker]\ncommit_ms = 7\n");
    let shown = |flags: &[&str]| {
        let mut command = shell.command(&[&["config", "show", "--json", "--config", "c.toml"], flags].concat());
        command.env("TRIBUTARY_WORKER_COMMIT_MS", "8").env("TRIBUTARY_DATA_DIR", "12");
        command.env("TRIBUTARY_INSECURE_DEV", "true");
        let output = command.output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    assert_eq!(shown(&[])["worker"]["commit_ms"], 8);
    assert_eq!(shown(&[])["data_dir"], "12", "a text stays a text");
    assert_eq!(shown(&[])["insecure_dev"], true);
    assert_eq!(shown(&["--data-dir", "flag"])["data_dir"], "flag");
}

#[test]
fn a_variable_that_is_no_setting_or_no_value_is_named() {
    let shell = Shell::new();
    let failed = |name: &str, value: &str| {
        let output = shell.command(&["config", "check"]).env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let unknown = failed("TRIBUTARY_WORKER_COMIT_MS", "5");
    assert!(unknown.contains("TRIBUTARY_WORKER_COMIT_MS"), "{unknown}");
    let wrong = failed("TRIBUTARY_WORKER_COMMIT_MS", "soon");
    assert!(wrong.contains("TRIBUTARY_WORKER_COMMIT_MS") && wrong.contains("soon"), "{wrong}");
}

#[test]
fn what_is_shown_can_be_read_again() {
    let shell = Shell::new();
    let shown = shell.run(&["config", "show"]);
    shown.assert_code(0);
    assert_eq!(toml::from_str::<Config>(&shown.out).unwrap(), Config::default());
}
