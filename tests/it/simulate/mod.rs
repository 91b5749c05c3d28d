//! The simulated programme and its own books.

mod stream;
