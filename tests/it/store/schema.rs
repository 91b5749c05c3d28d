//! The tables in CQL are those of `topology/tables.toml`, and their values are what rows are encoded as.

use expect_test::expect_file;
use tributary::project::codec::Reader;
use tributary::project::key::TableId;
use tributary::store::scylla::ddl;
use tributary::store::scylla::shape::{Column, Field, SHAPES, Shape, Sort, Type};
use tributary::topology::Topology;

use super::samples;

fn shape(table: TableId) -> &'static Shape {
    SHAPES.iter().find(|shape| shape.id == table).unwrap()
}

#[test]
fn the_key_of_every_table_is_that_of_the_topology() {
    let topology = Topology::load().unwrap();
    let generational: Vec<&Shape> = SHAPES.iter().filter(|shape| !shape.is_shared()).collect();
    assert_eq!(generational.len(), topology.tables.len());
    for table in topology.tables {
        let shape = shape(TableId(table.id));
        // A key of nothing but a constant.
        let name = |Column(name, _): &Column| if *name == "zero" { "0" } else { *name }.to_owned();
        let signed = |column: &Column| match column.1 {
            Sort::IntDesc => format!("-{}", name(column)),
            Sort::Int | Sort::Text => name(column),
        };
        let key: Vec<String> = shape.columns.iter().map(signed).collect();
        assert_eq!(
            (shape.name, shape.by_month, key),
            (table.name.as_str(), table.by_month, table.key),
            "{}",
            table.name
        );
    }
}

/// Whether the bytes of a field are of its type.
fn is_of(kind: Type, bytes: &[u8]) -> bool {
    match kind {
        Type::Int => bytes.len() == 8,
        Type::Text => std::str::from_utf8(bytes).is_ok(),
        Type::Varint => (1..=16).contains(&bytes.len()),
        Type::Texts => {
            let (count, rest) = bytes.split_first_chunk::<4>().unwrap();
            let mut texts = Reader::new(rest);
            let all = std::iter::from_fn(|| texts.field().unwrap());
            all.count() == usize::try_from(i32::from_be_bytes(*count)).unwrap()
        }
        Type::Blob => true,
    }
}

#[test]
fn every_row_is_encoded_as_the_fields_of_its_table() {
    let rows = samples::rows().into_iter().map(|row| (row.key, row.value.unwrap()));
    let mut seen = std::collections::BTreeSet::new();
    for (key, value) in rows.chain(samples::shared()) {
        let shape = shape(key.part.table);
        assert!(
            key.cols.0.len() == shape.columns.len()
                && key.cols.0.iter().zip(shape.columns).all(|(col, Column(_, sort))| sort.is_of(col)),
            "{key:?}"
        );
        let mut fields = Reader::new(&value);
        let mut found = 0;
        for Field(name, kind) in shape.fields {
            let Some(bytes) = fields.field().unwrap() else { break };
            assert!(is_of(*kind, bytes), "{}.{name}: {bytes:?}", shape.name);
            found += 1;
        }
        assert_eq!(fields.field().unwrap(), None, "{} has more fields than its type", shape.name);
        if found == shape.fields.len() {
            seen.insert(shape.id);
        }
    }
    let all: std::collections::BTreeSet<TableId> = SHAPES.iter().map(|shape| shape.id).collect();
    assert_eq!(seen, all, "each table has a row with all fields");
}

#[test]
fn the_statements_of_every_table_are_written_down() {
    for shape in SHAPES {
        let statements = [ddl::create_type("tributary", shape, 1), ddl::create_table("tributary", shape, 1)];
        let text: String = statements.map(|statement| statement + ";\n").join("\n");
        expect_file![format!("../../../schemas/cql/{}.cql", shape.name)].assert_eq(&text);
    }
}

#[test]
fn no_statement_is_written_down_for_a_table_that_is_not_there() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/cql");
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let mut expected: Vec<String> = SHAPES.iter().map(|shape| format!("{}.cql", shape.name)).collect();
    expected.sort();
    assert_eq!(names, expected);
}
