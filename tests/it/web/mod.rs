//! The HTTP side over real sockets: routes, limits, the way in, and what is answered from rows.

mod admin;
mod boards;
mod breakdown;
mod browser;
mod calendar;
mod check;
pub(crate) mod client;
pub(crate) mod decisions;
mod document;
mod explain;
mod generations;
mod intake;
mod keys;
mod limits;
mod lists;
mod live;
mod load;
mod member_days;
mod page;
mod ranges;
mod reads;
mod routes;
mod server;
mod tenants;
mod year;
mod zones;
