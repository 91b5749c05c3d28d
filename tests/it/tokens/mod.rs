//! Raw fields become tokens on the way in, and stand nowhere.

mod nowhere;
mod reading;
mod recipe;
mod rotation;
mod secret;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A secret of 32 letters, for tests that tell what comes of it.
const OURS: &str = "0123456789abcdef0123456789abcdef";

/// A folder, and the program started in it.
struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TRIBUTARY_")) {
            command.env_remove(name);
        }
        command.args(arguments).current_dir(self.dir.path()).env("RUST_LOG", "trace").stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    #[track_caller]
    fn json(&self, code: i32, arguments: &[&str]) -> Value {
        json_of(code, &self.run(&[arguments, &["--json"]].concat()))
    }
}

#[track_caller]
fn json_of(code: i32, output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(code), "{}", shown(output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", shown(output)))
}

/// What it said, its log left out.
fn shown(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = said.lines().rev().take(3).collect();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), last.join("\n"))
}

/// A running server, its log in a file.
struct Server {
    child: Child,
    addr: String,
    key: String,
}

impl Server {
    fn start(desk: &Desk, log: &str) -> Self {
        let mut command = desk.command(&["run", "--json", "--show-key", "--listen", "127.0.0.1:0"]);
        let log = std::fs::File::create(desk.path(log)).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).expect("it says where it listens");
        let page = ready["page"].as_str().unwrap();
        let key = page.split_once("#key=").unwrap().1.to_owned();
        Self { child, addr: ready["listening"].as_str().unwrap().to_owned(), key }
    }

    /// The whole answer, its head too.
    fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.addr).unwrap();
        let (key, len) = (&self.key, body.len());
        let position = if token.is_empty() { String::new() } else { format!("x-min-position: {token}\r\n") };
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {len}\r\n{position}\r\n{body}"
        )
        .unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).unwrap();
        String::from_utf8_lossy(&said).into_owned()
    }

    fn stop(mut self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already when it was stopped.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The body of an answer.
fn body(answer: &str) -> Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// Every record of a folder's log as JSON, events and dead letters, once nobody holds it.
async fn read_back(dir: &std::path::Path) -> Vec<Value> {
    use tributary::consume::{Batch, Stream};
    use tributary::decode::{Decoder, Place};
    use tributary::ids::{Next, Partition};
    let engine = tributary::run::Program::open(tributary::run::Options::new(dir), tributary::clock::Clock::system());
    let engine = engine.await.unwrap();
    let (log, decoder) = (engine.log.file().unwrap().clone(), Decoder::new());
    let mut found = Vec::new();
    for p in (0..engine.log.topic().partitions).map(Partition) {
        for stream in [Stream::Events, Stream::DeadLetters] {
            let mut batch = Batch::default();
            log.read(stream, p, Next(0), &Default::default(), &mut batch).unwrap();
            assert_eq!(Next(batch.len() as u64), log.bounds(stream, p).unwrap().end, "all of it is read at once");
            for record in batch.iter() {
                let at = Place { topic: "t", partition: p, offset: record.offset };
                if stream == Stream::DeadLetters {
                    found.push(Value::String(format!("{:?}", decoder.dead_letter(record.value, at).unwrap())));
                    continue;
                }
                let mut json = Vec::new();
                tributary::schema::to_json(&decoder.decode(record.value, record.key, at).unwrap(), &mut json);
                found.push(serde_json::from_slice(&json).unwrap());
            }
        }
    }
    engine.stop().await.unwrap();
    found
}
