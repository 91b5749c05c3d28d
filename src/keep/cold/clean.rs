//! Making room: the oldest file of a Cold map is emptied and goes.
//!
//! Always the oldest. A record names the place it replaces, and that is in an older file; if a younger file went
//! first, what its records had replaced would live again when the index is rebuilt.
//!
//! What is expired leaves the index when the file goes, in the same frame, and not before: a rebuild in between finds
//! it in the file, and beside it, with no `prev`, whatever was made under its key since.

use bytemuck::Pod;

use super::{Cold, disk::Cleaning, idx, layout::place};
use crate::keep::Error;

/// Records looked at by a tick, beside two for each that is new.
const RECORDS_MIN: u64 = 64;
const RECORDS_MAX: u64 = 8_192;

impl<K: Pod + Eq, V: Pod> Cold<K, V> {
    /// Goes on with the cleaning of the first file, or begins it when it pays.
    pub(super) fn clean(&mut self) -> Result<(), Error> {
        let end = self.tail.end();
        let Some(disk) = &mut self.disk else { return Ok(()) };
        let budget = (RECORDS_MIN + 2 * (end - disk.ticked)).min(RECORDS_MAX);
        disk.ticked = end;
        if disk.cleaning.is_none() {
            if !disk.wants_cleaning(self.floor) {
                return Ok(());
            }
            disk.cleaning = Some(Cleaning { at: disk.layout.start(disk.first), expired: Vec::new() });
        }
        self.clean_some(budget)?;
        if let Some(disk) = &mut self.disk {
            // What it moved is not new.
            disk.ticked = self.tail.end();
        }
        Ok(())
    }

    fn clean_some(&mut self, budget: u64) -> Result<(), Error> {
        let Some(disk) = &mut self.disk else { return Ok(()) };
        let (Some(cleaning), file_end) = (&mut disk.cleaning, disk.layout.start(disk.first + 1)) else {
            return Ok(());
        };
        let (from, to) = (cleaning.at, (cleaning.at + budget).min(file_end));
        if disk.files.front().is_some_and(|s| s.live > 0) && from < to {
            cleaning.at = to;
            return self.move_living(from, to);
        }
        for (hash, number) in std::mem::take(&mut cleaning.expired) {
            self.forget(hash, number);
        }
        if let Some(disk) = &mut self.disk {
            assert!(disk.files.front().is_none_or(|s| s.live == 0), "all that lived in the first file was moved");
            disk.drop_first();
        }
        Ok(())
    }

    /// Copies what lives to the tail, with its time; what is expired is noted.
    fn move_living(&mut self, from: u64, to: u64) -> Result<(), Error> {
        let Some(disk) = &self.disk else { return Ok(()) };
        let (mut living, mut expired) = (Vec::new(), Vec::new());
        let layout = &disk.layout;
        idx::read(layout, from..to, |number, raw| {
            let hash = layout.home.seed.of_bytes(layout.key(&raw));
            if self.index.holds(hash, place(number)) {
                living.push((hash, number, raw.record::<K, V>()));
            }
        })?;
        for (hash, number, record) in living {
            match record {
                Some(record) if record.time >= self.floor => {
                    self.replace(hash, number, record);
                }
                Some(_) | None => expired.push((hash, number)),
            }
        }
        if let Some(cleaning) = self.disk.as_mut().and_then(|d| d.cleaning.as_mut()) {
            cleaning.expired.append(&mut expired);
        }
        Ok(())
    }
}
