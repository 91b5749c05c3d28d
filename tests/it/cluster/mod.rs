//! The program on a real Kafka and a real Cassandra.

mod figures;
mod place;
