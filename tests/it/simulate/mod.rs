//! The simulated programme and its own books.

mod books;
mod stream;
