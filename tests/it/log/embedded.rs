//! The embedded log keeps the contract, and survives what a machine does to it.

use tempfile::TempDir;
use tributary::append::embedded::EmbeddedSink;
use tributary::consume::embedded::{EmbeddedSource, Log, OpenError};
use tributary::disk;

use super::contract::{self, Lab, PARTITIONS};

struct Embedded {
    folder: TempDir,
    log: Option<Log>,
}

impl Embedded {
    fn new() -> Self {
        let mut lab = Self { folder: tempfile::tempdir().unwrap(), log: None };
        lab.restart();
        lab
    }

    fn log(&self) -> Log {
        self.log.clone().unwrap()
    }
}

impl Lab for Embedded {
    type Source = EmbeddedSource;
    type Sink = EmbeddedSink;

    fn sink(&self) -> EmbeddedSink {
        EmbeddedSink::new(self.log(), Default::default()).unwrap()
    }

    fn source(&self) -> EmbeddedSource {
        self.log().source(0, 1)
    }

    fn restart(&mut self) {
        self.log = None;
        let path = self.folder.path().join("log.redb");
        self.log = Some(Log::open(&path, PARTITIONS, [7; 16], disk::Options::default()).unwrap());
    }
}

#[test]
fn what_goes_in_comes_out() {
    contract::what_goes_in_comes_out(&mut Embedded::new());
}

#[test]
fn order_without_gap_or_double() {
    contract::order_without_gap_or_double(&mut Embedded::new());
}

#[test]
fn seek() {
    contract::seek(&mut Embedded::new());
}

#[test]
fn bounds() {
    contract::bounds(&mut Embedded::new());
}

#[test]
fn out_of_range() {
    contract::out_of_range(&mut Embedded::new());
}

#[test]
fn restart_keeps_all() {
    contract::restart_keeps_all(&mut Embedded::new());
}

#[test]
fn concurrent_appenders() {
    contract::concurrent_appenders(&mut Embedded::new());
}

#[test]
fn what_is_refused_beforehand_appends_nothing() {
    contract::what_is_refused_beforehand_appends_nothing(&mut Embedded::new());
}

#[test]
fn emit_moves_e_forward_only() {
    contract::emit_moves_e_forward_only(&mut Embedded::new());
}

#[test]
fn an_append_wakes_a_waiting_poll() {
    contract::an_append_wakes_a_waiting_poll(&mut Embedded::new());
}

#[test]
fn limits_are_kept() {
    contract::limits_are_kept(&mut Embedded::new());
}

#[test]
fn a_log_keeps_its_partitions_and_its_topic_id() {
    let mut lab = Embedded::new();
    let path = lab.folder.path().join("log.redb");
    lab.log = None;
    let refused = Log::open(&path, 8, [7; 16], disk::Options::default());
    assert!(matches!(refused, Err(OpenError::Partitions { has: 4, wanted: 8, .. })));
    let log = Log::open(&path, 4, [9; 16], disk::Options::default()).unwrap();
    assert_eq!(log.topic().id, [7; 16]);
}

#[test]
fn a_second_opener_is_told_who_has_it() {
    let lab = Embedded::new();
    let path = lab.folder.path().join("log.redb");
    let Err(error) = Log::open(&path, 4, [7; 16], disk::Options::default()) else { panic!("opened twice") };
    assert!(error.to_string().contains("is in use by another tributary process"), "{error}");
}

#[test]
fn nothing_is_taken_and_nothing_lost_while_no_records_are_asked_for() {
    contract::nothing_is_taken_and_nothing_lost_while_no_records_are_asked_for(&mut Embedded::new());
}

#[test]
fn a_seek_while_no_records_are_asked_for_holds_up_nobody() {
    contract::a_seek_while_no_records_are_asked_for_holds_up_nobody(&mut Embedded::new());
}
