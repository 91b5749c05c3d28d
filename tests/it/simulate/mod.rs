//! The simulated programme and its own books.

mod books;
mod ledger;
mod stream;
