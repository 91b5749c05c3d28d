//! The statements that make and take away tables. Pure: what is printed is what is run.
//!
//! Names are quoted: some are words of the language, of one of the two servers or of the other.

use std::collections::BTreeMap;

use super::shape::{Column, Field, Shape};

/// Copies by data centre.
pub type Replication = BTreeMap<String, u32>;

/// `member_g7`; tables that belong to no generation have none in their name.
pub fn table_name(shape: &Shape, generation: u32) -> String {
    named(shape, "", generation)
}

/// The type of the value of [`table_name`].
pub fn type_name(shape: &Shape, generation: u32) -> String {
    named(shape, "_row", generation)
}

fn named(shape: &Shape, what: &str, generation: u32) -> String {
    if shape.is_shared() { format!("{}{what}", shape.name) } else { format!("{}{what}_g{generation}", shape.name) }
}

/// The generation of a table's name, if it is one of `shape`.
pub fn generation_of(shape: &Shape, table: &str) -> Option<u32> {
    if shape.is_shared() {
        return None;
    }
    table.strip_prefix(shape.name)?.strip_prefix("_g")?.parse().ok()
}

/// All that `setup` makes where nothing is: keyspace, types, tables.
pub fn create_all(keyspace: &str, replication: &Replication, shapes: &[Shape], generation: u32) -> Vec<String> {
    let tables = shapes
        .iter()
        .flat_map(|shape| [create_type(keyspace, shape, generation), create_table(keyspace, shape, generation)]);
    std::iter::once(create_keyspace(keyspace, replication)).chain(tables).collect()
}

pub fn create_keyspace(keyspace: &str, replication: &Replication) -> String {
    // A quote in a text is doubled.
    let of_dc = |(dc, copies): (&String, &u32)| format!(", '{}': {copies}", dc.replace('\'', "''"));
    let copies: String = replication.iter().map(of_dc).collect();
    let class = "'class': 'NetworkTopologyStrategy'";
    format!("CREATE KEYSPACE IF NOT EXISTS \"{keyspace}\" WITH replication = {{{class}{copies}}}")
}

pub fn create_type(keyspace: &str, shape: &Shape, generation: u32) -> String {
    let fields: Vec<String> = shape.fields.iter().map(field).collect();
    let name = type_name(shape, generation);
    format!("CREATE TYPE IF NOT EXISTS \"{keyspace}\".\"{name}\" (\n    {}\n)", fields.join(",\n    "))
}

/// Appends fields that a type does not have yet.
pub fn extend_type(keyspace: &str, shape: &Shape, generation: u32, from: usize) -> Vec<String> {
    let name = type_name(shape, generation);
    let missing = shape.fields.iter().skip(from);
    missing.map(|one| format!("ALTER TYPE \"{keyspace}\".\"{name}\" ADD {}", field(one))).collect()
}

fn field(Field(name, kind): &Field) -> String {
    format!("\"{name}\" {}", kind.cql())
}

pub fn create_table(keyspace: &str, shape: &Shape, generation: u32) -> String {
    let month = if shape.by_month { "\n    \"month\" int," } else { "" };
    let columns: String =
        shape.columns.iter().map(|Column(name, sort)| format!("\n    \"{name}\" {},", sort.cql())).collect();
    let value = type_name(shape, generation);
    let partition: Vec<String> = partition(shape).map(quoted).collect();
    let keys: Vec<String> = shape.columns.iter().map(|Column(name, _)| quoted(name)).collect();
    let order: Vec<String> =
        shape.columns.iter().map(|Column(name, sort)| format!("\"{name}\" {}", sort.direction())).collect();
    format!(
        "CREATE TABLE IF NOT EXISTS \"{keyspace}\".\"{}\" (\n    \"p\" int,\n    \"shard\" int,{month}{columns}\n    \
         \"v\" frozen<\"{value}\">,\n    \"e\" bigint,\n    PRIMARY KEY (({}), {})\n) WITH CLUSTERING ORDER BY ({})",
        table_name(shape, generation),
        partition.join(", "),
        keys.join(", "),
        order.join(", "),
    )
}

pub fn drop_table(keyspace: &str, table: &str) -> String {
    format!("DROP TABLE IF EXISTS \"{keyspace}\".\"{table}\"")
}

pub fn drop_type(keyspace: &str, shape: &Shape, generation: u32) -> String {
    format!("DROP TYPE IF EXISTS \"{keyspace}\".\"{}\"", type_name(shape, generation))
}

/// The columns of the partition key.
pub fn partition(shape: &Shape) -> impl Iterator<Item = &'static str> {
    ["p", "shard"].into_iter().chain(shape.by_month.then_some("month"))
}

pub fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}
