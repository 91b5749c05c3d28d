//! `tributary keys`, the first key, and the key of a run.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use tributary::web::keys::Secret;

use super::serve::Server;
use super::{Ran, Shell};

/// The status of a GET with `key`.
fn status(server: &Server, path: &str, key: Option<&str>) -> u16 {
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    let key = key.map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{key}\r\n").unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said.split(' ').nth(1).unwrap().parse().unwrap()
}

fn first_key(server: &Server) -> Option<String> {
    server.ready["first_key"].as_str().map(str::to_owned)
}

#[test]
fn the_first_start_tells_a_key_for_everything_and_no_later_one_does() {
    let shell = Shell::new();
    let server = Server::start(&shell);
    let key = first_key(&server).expect("it is told");
    assert_eq!(server.ready["page"], format!("{}/#key={key}", server.url));
    assert_eq!(status(&server, "/v1/creators", None), 401);
    for path in ["/v1/creators", "/health", "/v1/admin/keys"] {
        assert_eq!(status(&server, path, Some(&key)), 200, "{path}");
    }
    assert_eq!(server.stop(), Some(0));

    let server = Server::start(&shell);
    assert_eq!((first_key(&server), &server.ready["page"]), (None, &json!(format!("{}/", server.url))));
    assert_eq!(status(&server, "/v1/creators", Some(&key)), 200, "it stays good");
    assert_eq!(server.stop(), Some(0));

    // Whoever asks for it gets an address that works, each time with a key of that run.
    let server = Server::with(&shell, &["--show-key"]);
    let page = server.ready["page"].as_str().unwrap().to_owned();
    let (_, local) = page.split_once("/#key=").expect("it has a key in it");
    assert_eq!(status(&server, "/v1/creators", Some(local)), 200);
    assert_ne!(local, key);
    server.stop();
    let server = Server::start(&shell);
    assert_eq!(status(&server, "/v1/creators", Some(local)), 401, "it ended with its run");
}

#[test]
fn commands_of_the_same_user_need_no_key_to_be_typed() {
    let shell = Shell::new();
    let server = Server::start(&shell);
    let file = shell.path("data/tributary.key");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let made = shell.json(0, &["keys", "create", "--name", "shop", "--scope", "write,read", "--creator", "acme"]);
    let key = made["key"].as_str().unwrap();
    assert_eq!((&made["data"]["scopes"], &made["data"]["creators"]), (&json!(["read", "write"]), &json!(["acme"])));
    assert_eq!(status(&server, "/v1/creators", Some(key)), 200);
    let listed = shell.json(0, &["keys", "list"]);
    assert_eq!(listed["keys"].as_array().unwrap().len(), 2, "the first and this one: {listed}");
    let shown = shell.run(&["keys", "list"]).out;
    assert!(shown.contains("read,write") && shown.contains("acme") && shown.contains("(all)"), "{shown}");
    shell.run(&["keys", "revoke", made["data"]["key_id"].as_str().unwrap()]).assert_code(0);
    assert_eq!(status(&server, "/v1/creators", Some(key)), 401);
    assert!(shell.run(&["keys", "list"]).out.contains("revoked"));
    shell.run(&["keys", "revoke", "0123456789"]).assert_code(1).assert_error(&["no key `0123456789`"]);
    assert_eq!(server.stop(), Some(0));
    assert!(!file.exists(), "it goes with the run");
}

#[test]
fn keys_are_managed_in_a_folder_that_nobody_holds() {
    let shell = Shell::new();
    // A lost first key is no trouble for who is on the machine.
    let ran = shell.run(&["keys", "create", "--name", "mine", "--scope", "read,write,review,admin"]);
    ran.assert_code(0);
    let key = ran.out.trim().to_owned();
    assert!(Secret::parse(&key).is_some(), "standard output is the key alone: {}", ran.out);
    let other =
        shell.json(0, &["keys", "create", "--name", "short", "--scope", "read", "--expires", "2999-01-01T00:00:00Z"]);
    let closed = other["key"].as_str().unwrap();
    // The whole text does as well as the id.
    shell.run(&["keys", "revoke", closed]).assert_code(0);
    let bytes = std::fs::read(shell.path("data/keys.redb")).unwrap();
    let secret = &key.as_bytes()[15..];
    assert!(!bytes.windows(secret.len()).any(|part| part == secret), "no text of a key is in the file");

    // Making all rows again leaves the keys alone.
    shell.run(&["projections", "rebuild"]).assert_code(0);
    let server = Server::start(&shell);
    assert_eq!(first_key(&server), None, "there has been a key");
    assert_eq!(status(&server, "/v1/admin/keys", Some(&key)), 200);
    assert_eq!(status(&server, "/v1/creators", Some(closed)), 401);
    server.stop();
}

#[test]
fn a_key_of_the_environment_is_used_and_one_that_is_none_is_refused() {
    let shell = Shell::new();
    let server = Server::start(&shell);
    let made = shell.json(0, &["keys", "create", "--name", "reader", "--scope", "read"]);
    let with =
        |key: &str, arguments: &[&str]| Ran::of(&shell.command(arguments).env("TRIBUTARY_KEY", key).output().unwrap());
    let key = made["key"].as_str().unwrap();
    with(key, &["status"]).assert_code(0);
    with(key, &["keys", "list"]).assert_code(1).assert_error(&["has not the scope `admin`"]);
    with("trb_nonsense", &["status"]).assert_code(2).assert_error(&["TRIBUTARY_KEY"]);
    shell.run(&["keys", "revoke", made["data"]["key_id"].as_str().unwrap()]).assert_code(0);
    with(key, &["status"]).assert_code(1).assert_error(&["not known here, or was revoked"]);
    server.stop();
}

#[test]
fn the_key_of_a_run_is_sent_to_that_server_alone() {
    let (here, there) = (Shell::new(), Shell::new());
    let (mine, other) = (Server::start(&here), Server::start(&there));
    let send = |to: &Server| here.run(&["simulate", "--events", "10", "--to", &to.url]);
    send(&mine).assert_code(0);
    send(&other).assert_code(1).assert_error(&["send an API key"]);
    mine.stop();
    other.stop();
}

#[test]
fn without_keys_a_server_says_so_and_listens_to_this_machine_alone() {
    let shell = Shell::new();
    let server = Server::with(&shell, &["--insecure-dev"]);
    assert_eq!((first_key(&server), status(&server, "/v1/creators", None)), (None, 200));
    assert!(!shell.path("data/tributary.key").exists());
    let shown = shell.run(&["status"]);
    shown.assert_code(0);
    assert!(shown.out.contains("warning: no API keys are asked for"), "{}", shown.out);
    server.stop();
    let open = ["run", "--insecure-dev", "--listen", "0.0.0.0:0"];
    shell.run(&open).assert_code(1).assert_error(&["`listen`", "this machine alone"]);
}

#[test]
fn a_key_that_makes_no_sense_is_not_made() {
    let shell = Shell::new();
    let create = |rest: &[&str]| shell.run(&[&["keys", "create", "--name", "n"], rest].concat());
    create(&["--scope", "everything"]).assert_code(2).assert_error(&["read, write, review or admin"]);
    create(&[]).assert_code(2).assert_error(&["--scope"]);
    create(&["--scope", "admin", "--creator", "acme"]).assert_code(1).assert_error(&["`creators`"]);
    create(&["--scope", "read", "--expires", "2020-01-01T00:00:00Z"]).assert_code(1).assert_error(&["`expires_at`"]);
    let listed: Value = shell.json(0, &["keys", "list"]);
    assert_eq!(listed["keys"], json!([]));
}
