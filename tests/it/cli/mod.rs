//! The program as it is started from a shell: words, JSON and exit codes.

mod backtest;
mod cluster;
mod commands;
mod dlq;
mod keys;
mod reviews;
pub(crate) mod serve;
mod settings;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder of one test, and the program started in it.
pub(crate) struct Shell {
    dir: tempfile::TempDir,
}

/// What one run came to.
pub(crate) struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Ready to be started: in this folder, with no settings of the machine's.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
        let ours = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("TRIBUTARY_"));
        for name in ours {
            command.env_remove(name);
        }
        command.args(arguments).current_dir(self.dir.path()).env("RUST_LOG", "off").stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    /// The answer, read as JSON; the run must have ended with `code`.
    fn json(&self, code: i32, arguments: &[&str]) -> serde_json::Value {
        let ran = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.out, ran.err);
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", ran.out))
    }
}

impl Ran {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().expect("it was not killed"),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub(crate) fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self
    }

    fn assert_error(&self, parts: &[&str]) {
        let missing: Vec<_> = parts.iter().filter(|part| !self.err.contains(**part)).collect();
        assert!(missing.is_empty(), "{missing:?} missing from: {}", self.err);
    }
}

fn read_json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
