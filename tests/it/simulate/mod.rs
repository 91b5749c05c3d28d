//! The simulated programme and its own books.

mod books;
mod labelled;
mod ledger;
mod stream;
