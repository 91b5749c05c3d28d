//! The HTTP side over real sockets: routes, limits, the way in, and what is answered from rows.

mod admin;
mod browser;
mod client;
mod document;
mod generations;
mod intake;
mod limits;
mod live;
mod load;
mod page;
mod reads;
mod routes;
mod server;
