//! The same in a bucket of S3, as a small server of PyPI plays it. The store is told of it by the environment alone, which
//! only another process can be given.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use tributary::keep::archive::{Archive, Place};
use tributary::keep::export::Wanted;

use super::export::{NEWEST, block_on, send, sent_and_fetched};
use super::toy::{Replay, Task, in_memory};
use crate::services;

const BUCKET: &str = "snapshots";
/// As the library of the store calls it.
const ENDPOINT: &str = "AWS_ENDPOINT";

struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// None where it is not installed.
    fn start() -> Option<Self> {
        let usual = [concat!(env!("CARGO_MANIFEST_DIR"), "/target/moto/bin/moto_server"), "moto_server"];
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let start = |program: &&str| {
            let mut command = Command::new(program);
            command.args(["-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
        };
        let server = Self { child: usual.iter().find_map(start)?, port };
        // As often as PATIENCE allows.
        for _ in 0..300 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Some(server);
            }
            std::thread::sleep(services::PATIENCE / 300);
        }
        panic!("moto_server does not answer");
    }

    fn make_bucket(&self) {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let head = format!("PUT /{BUCKET} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n", self.port);
        write!(stream, "{head}Content-Length: 0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs one of the tests below against a server at `port`.
fn run(test: &str, port: u16) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("keep::s3::{test}"), "--ignored", "--nocapture"])
        .env(ENDPOINT, format!("http://127.0.0.1:{port}"))
        .envs([("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "us-east-1")])
        .envs([("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret")])
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}{err}");
}

#[test]
#[ignore = "half a minute, with moto of PyPI; make soak"]
fn snapshots_go_to_a_bucket_and_come_back() {
    let Some(server) = Server::start() else {
        let how = "python3 -m venv target/moto && target/moto/bin/pip install -r tests/requirements.txt";
        return services::not_tested(&format!("S3; there is no moto_server: {how}, or make soak"));
    };
    run("no_bucket", server.port);
    server.make_bucket();
    run("round_trip", server.port);
    let port = server.port;
    drop(server);
    run("nobody_there", port);
}

/// Run by nobody but [`run`]: there is a server to ask.
fn is_told() -> bool {
    std::env::var_os(ENDPOINT).is_some()
}

fn bucket(prefix: &str) -> Archive {
    Archive::open(&Place::parse(&format!("s3://{BUCKET}/{prefix}")).unwrap()).unwrap()
}

#[test]
#[ignore = "run by another test"]
fn round_trip() {
    if !is_told() {
        return;
    }
    sent_and_fetched(&AmazonS3Builder::from_env().with_bucket_name(BUCKET).build().unwrap());
    let (archive, home) = (bucket("some/where"), in_memory());
    block_on(archive.check()).unwrap();
    let sent = send(&archive, home.path(), &[1_000, 2_000, 3_000]);
    assert_eq!(block_on(bucket("elsewhere").newest(&NEWEST)).unwrap(), None);
    let wanted = Wanted { at_most: sent[1], ..NEWEST };
    let state = home.path().join("other");
    assert_eq!(block_on(archive.fetch(&wanted, &state)).unwrap(), Some(sent[1]));
    let mut task = Task::open(&state).unwrap();
    assert_eq!((task.at, task.digest().unwrap()), (sent[1].0, Replay::new().digest(sent[1])));
    assert!(block_on(archive.forget(NEWEST.identity.topic, NEWEST.identity.generation)).unwrap() > 3);
    assert_eq!(block_on(archive.newest(&NEWEST)).unwrap(), None);
}

#[test]
#[ignore = "run by another test"]
fn no_bucket() {
    if !is_told() {
        return;
    }
    let archive = bucket("");
    let error = block_on(archive.check()).unwrap_err();
    assert!(archive.blames_settings(&error), "{error:?}");
}

#[test]
#[ignore = "run by another test"]
fn nobody_there() {
    if !is_told() {
        return;
    }
    let archive = bucket("");
    let error = block_on(archive.check()).unwrap_err();
    assert!(!archive.blames_settings(&error), "{error:?}");
    block_on(archive.newest(&NEWEST)).unwrap_err();
}
