//! The embedded store keeps the contract, and survives what a machine does to it.

use tempfile::TempDir;
use tributary::store::embedded::{EmbeddedStore, Options};

use super::contract::{self, Lab};

struct Embedded {
    folder: TempDir,
    store: Option<EmbeddedStore>,
}

impl Embedded {
    fn new() -> Self {
        let mut lab = Self { folder: tempfile::tempdir().unwrap(), store: None };
        lab.restart();
        lab
    }
}

impl Lab for Embedded {
    type Store = EmbeddedStore;

    fn store(&self) -> EmbeddedStore {
        self.store.clone().unwrap()
    }

    fn restart(&mut self) {
        self.store = None;
        let path = self.folder.path().join("projections.redb");
        self.store = Some(EmbeddedStore::open(&path, Options::default()).unwrap());
    }
}

#[test]
fn get_answers_in_the_order_of_the_keys() {
    contract::get_answers_in_the_order_of_the_keys(&mut Embedded::new());
}

#[test]
fn the_same_row_wins_in_every_order() {
    contract::the_same_row_wins_in_every_order(&mut Embedded::new());
}

#[test]
fn tombstones() {
    contract::tombstones(&mut Embedded::new());
}

#[test]
fn scans_are_in_the_order_of_the_columns() {
    contract::scans_are_in_the_order_of_the_columns(&mut Embedded::new());
}

#[test]
fn bounds_are_prefixes() {
    contract::bounds_are_prefixes(&mut Embedded::new());
}

#[test]
fn writing_again_changes_nothing() {
    contract::writing_again_changes_nothing(&mut Embedded::new());
}

#[test]
fn swap_is_conditional() {
    contract::swap_is_conditional(&mut Embedded::new());
}

#[test]
fn restart_keeps_all() {
    contract::restart_keeps_all(&mut Embedded::new());
}

#[test]
fn concurrent_writers() {
    contract::concurrent_writers(&mut Embedded::new());
}

#[test]
fn health() {
    contract::health(&mut Embedded::new());
}
