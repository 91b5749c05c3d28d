//! Cases that referral systems get wrong, one test each: a short story, and the rows that it leads to. The table in
//! README.md names what others do with each, and these tests; a test of the documents holds the two together.

mod boards;
mod breakdowns;
mod credit;
mod fraud;
mod money;
mod people;
mod taken_back;
mod time;
mod traffic;
