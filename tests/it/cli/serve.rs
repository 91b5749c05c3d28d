//! Commands beside a running `tributary run`, which holds the data folder.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::{Ran, Shell};

/// A running server; ended when dropped.
pub struct Server {
    child: Child,
    pub url: String,
    /// What it said when it began to listen.
    pub ready: serde_json::Value,
}

impl Server {
    /// Waits for the word that it listens.
    pub fn start(shell: &Shell) -> Self {
        Self::with(shell, &[])
    }

    pub fn with(shell: &Shell, arguments: &[&str]) -> Self {
        let mut command = shell.command(&[&["run", "--json", "--listen", "127.0.0.1:0"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).expect("it says where it listens");
        Self { child, url: format!("http://{}", ready["listening"].as_str().unwrap()), ready }
    }

    /// As an operator would: with SIGTERM.
    pub fn stop(mut self) -> Option<i32> {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already when it was stopped.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn commands_go_through_the_process_that_holds_the_folder() {
    let shell = Shell::new();
    let programme = ["simulate", "--creators", "2", "--members", "20", "--events", "1500", "--days", "20"];
    shell.run(&[&programme[..], &["--out", "p.ndjson"]].concat()).assert_code(0);
    let server = Server::start(&shell);

    let answer = shell.json(0, &["import", "p.ndjson"]);
    let taken = answer["accepted"].as_u64().unwrap() + answer["duplicate"].as_u64().unwrap();
    assert_eq!(taken, 1_500, "{answer}");
    let sent = shell.json(0, &[&programme[..], &["--seed", "2", "--to", &server.url]].concat());
    assert_eq!((&sent["sent"], &sent["rejected"]), (&1_500.into(), &0.into()));
    let status = shell.json(0, &["status"]);
    assert!(status["projections"]["partitions"].as_array().is_some_and(|all| !all.is_empty()), "{status}");
    let shown = shell.run(&["status"]).out;
    assert!(shown.starts_with("healthy at http://") && shown.contains("lag events"), "{shown}");

    // Both compare and count while another programme comes in.
    let more = [&programme[..], &["--seed", "3", "--to", &server.url]].concat();
    let mut sending = shell.command(&more).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let verified = shell.json(0, &["projections", "verify"]);
    let stats = shell.json(0, &["projections", "stats"]);
    assert!(sending.wait().unwrap().success());
    assert_eq!(verified["differences"], 0, "{verified}");
    // E, P and who folds it are told beside the ends.
    let status = shell.json(0, &["status"]);
    let partitions = status["projections"]["partitions"].as_array().unwrap();
    let is_told = |place: &serde_json::Value| place["emitted"].is_u64() && place["committed"].is_u64();
    assert!(partitions.iter().all(|place| is_told(place) && place["owned"] == true), "{status}");
    let shown = shell.run(&["status"]).out;
    assert!(["emitted (E)", "state (P)", "lag s", "this server"].iter().all(|part| shown.contains(part)), "{shown}");
    assert!(verified["events"].as_u64().unwrap() >= taken, "{verified}");
    assert!(stats["tables"]["member"]["rows"].as_u64().unwrap() > 0, "{stats}");

    let held: Ran = shell.run(&["projections", "rebuild", "--from-nothing"]);
    held.assert_code(1).assert_error(&["in use"]);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(shell.json(0, &["projections", "verify"])["differences"], 0);
}

#[test]
fn a_generation_is_made_switched_to_and_dropped_beside_the_server() {
    let shell = Shell::new();
    let programme = ["simulate", "--creators", "2", "--members", "20", "--events", "1500", "--days", "20"];
    shell.run(&[&programme[..], &["--out", "p.ndjson"]].concat()).assert_code(0);
    let server = Server::start(&shell);
    let taken = shell.json(0, &["import", "p.ndjson"])["accepted"].clone();

    let made = shell.json(0, &["projections", "rebuild", "--rate", "100000"]);
    assert_eq!((&made["generation"], &made["differences"], &made["live"]), (&2.into(), &0.into(), &1.into()));
    assert_eq!(made["events"], taken, "{made}");
    let compared = shell.json(0, &["projections", "verify", "--generation", "2"]);
    assert_eq!(compared["differences"], 0, "{compared}");
    assert_eq!(shell.json(0, &["projections", "switch"])["live"], 2);
    assert_eq!(shell.json(0, &["projections", "rollback"])["live"], 1);
    assert_eq!(shell.json(0, &["projections", "rollback"])["live"], 2);
    let stats = shell.json(0, &["projections", "stats"]);
    let all = stats["generations"].as_array().unwrap();
    let roles: Vec<_> = all.iter().map(|one| one["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["live", "former"]);
    assert!(all.iter().all(|one| one["rows"] == all[0]["rows"] && one["rows"].as_u64() > Some(0)), "{stats}");
    let shown = shell.run(&["projections", "stats"]).out;
    assert!(shown.contains("live      followed"), "{shown}");
    assert_eq!(shell.json(0, &["projections", "drop"])["generations"].as_array().unwrap().len(), 1);
    shell.run(&["projections", "rollback"]).assert_code(1).assert_error(&["no former generation"]);

    // Begun and cancelled.
    let begun = shell.run(&["projections", "rebuild", "--cancel"]);
    begun.assert_code(1).assert_error(&["no generation is in the making"]);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(shell.json(0, &["projections", "verify"])["differences"], 0);
}
