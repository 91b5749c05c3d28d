//! What is there, compared with what should be, and made where it is missing.

use std::collections::BTreeMap;

use scylla::errors::ExecutionError;

use super::ddl::{self, Replication, partition, table_name, type_name};
use super::failure::{Verdict, explain, verdict};
use super::shape::{Column, Field, Shape};
use super::{Inner, Options};
use crate::store::Error;

/// What a server says of a keyspace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// As the server writes it: `class`, and copies by data centre. `None`: there is no such keyspace.
    pub replication: Option<BTreeMap<String, String>>,
    /// Fields of the types, in order: name and type.
    pub types: BTreeMap<String, Vec<(String, String)>>,
    /// Columns of the tables, by name.
    pub tables: BTreeMap<String, BTreeMap<String, ColumnFound>>,
}

/// A column, in the server's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnFound {
    pub kind: String,
    pub position: i32,
    pub order: String,
    pub cql: String,
}

/// A list, which is null when it is empty.
type Texts = Option<Vec<String>>;

/// How much of a type is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fields {
    Absent,
    /// All, and maybe more: a newer version has appended some.
    Whole,
    /// The first so many.
    Begun(usize),
    Different,
}

impl Found {
    fn fields(&self, shape: &Shape, generation: u32) -> Fields {
        let Some(there) = self.types.get(&type_name(shape, generation)) else { return Fields::Absent };
        let is_same =
            |((name, cql), Field(expected, kind)): (&(String, String), &Field)| name == expected && cql == kind.cql();
        if !there.iter().zip(shape.fields).all(is_same) {
            return Fields::Different;
        }
        if there.len() < shape.fields.len() { Fields::Begun(there.len()) } else { Fields::Whole }
    }

    /// Statements that make what is missing.
    pub fn missing(&self, keyspace: &str, replication: &Replication, shapes: &[Shape], generation: u32) -> Vec<String> {
        let mut statements = Vec::new();
        if self.replication.is_none() {
            statements.push(ddl::create_keyspace(keyspace, replication));
        }
        for shape in shapes {
            match self.fields(shape, generation) {
                Fields::Absent => statements.push(ddl::create_type(keyspace, shape, generation)),
                Fields::Begun(there) => statements.extend(ddl::extend_type(keyspace, shape, generation, there)),
                Fields::Whole | Fields::Different => {}
            }
            if !self.tables.contains_key(&table_name(shape, generation)) {
                statements.push(ddl::create_table(keyspace, shape, generation));
            }
        }
        statements
    }

    /// What is not as it should be, a sentence each.
    pub fn drift(&self, replication: &Replication, shapes: &[Shape], generation: u32) -> Vec<String> {
        let mut drift: Vec<String> = self.drift_of_copies(replication).into_iter().collect();
        drift.extend(self.drift_of_tables(shapes, generation));
        drift
    }

    fn drift_of_tables(&self, shapes: &[Shape], generation: u32) -> Vec<String> {
        let mut drift = Vec::new();
        for shape in shapes {
            match self.fields(shape, generation) {
                Fields::Whole => {}
                Fields::Absent => drift.push(format!("there is no type {}", type_name(shape, generation))),
                Fields::Begun(_) | Fields::Different => drift.push(self.drift_of_type(shape, generation)),
            }
            self.drift_of_table(shape, generation, &mut drift);
        }
        drift
    }

    fn drift_of_copies(&self, replication: &Replication) -> Option<String> {
        let there = self.replication.as_ref()?;
        let mut expected: BTreeMap<&str, String> =
            replication.iter().map(|(dc, copies)| (dc.as_str(), copies.to_string())).collect();
        expected.insert("class", "NetworkTopologyStrategy".to_owned());
        let is_same = |(key, value): (&String, &String)| {
            let short = value.rsplit('.').next().unwrap_or(value);
            expected.get(key.as_str()).is_some_and(|expected| expected == short)
        };
        (there.len() != expected.len() || !there.iter().all(is_same))
            .then(|| format!("copies are kept as {there:?}, not as {expected:?}"))
    }

    fn drift_of_type(&self, shape: &Shape, generation: u32) -> String {
        let name = type_name(shape, generation);
        let there = self.types.get(&name).map(Vec::as_slice).unwrap_or_default();
        let expected: Vec<String> =
            shape.fields.iter().map(|Field(name, kind)| format!("{name} {}", kind.cql())).collect();
        let there: Vec<String> = there.iter().map(|(name, cql)| format!("{name} {cql}")).collect();
        format!("the type {name} has the fields ({}), not ({})", there.join(", "), expected.join(", "))
    }

    fn drift_of_table(&self, shape: &Shape, generation: u32, drift: &mut Vec<String>) {
        let table = table_name(shape, generation);
        let Some(there) = self.tables.get(&table) else {
            return drift.push(format!("there is no table {table}"));
        };
        let expected = columns(shape, generation);
        for (name, column) in &expected {
            match there.get(name) {
                Some(found) if found == column => {}
                Some(found) => drift.push(format!("{table}.{name} is {}, not {}", found.told(), column.told())),
                None => drift.push(format!("the table {table} has no column {name}")),
            }
        }
        // Another column of the key makes every statement wrong; another value is nobody's business here.
        let strange = there.iter().filter(|(name, column)| column.kind != "regular" && !expected.contains_key(*name));
        drift.extend(strange.map(|(name, _)| format!("the table {table} has a column {name} in its key")));
    }
}

impl ColumnFound {
    fn told(&self) -> String {
        let Self { kind, position, order, cql } = self;
        format!("{cql} ({kind} {position}, {order})")
    }
}

fn columns(shape: &Shape, generation: u32) -> BTreeMap<String, ColumnFound> {
    let column = |name: &str, kind: &str, position: usize, order: &str, cql: &str| {
        let position = i32::try_from(position).unwrap_or(i32::MAX);
        (name.to_owned(), ColumnFound { kind: kind.to_owned(), position, order: order.to_owned(), cql: cql.to_owned() })
    };
    let mut columns: BTreeMap<_, _> =
        partition(shape).enumerate().map(|(place, name)| column(name, "partition_key", place, "none", "int")).collect();
    columns.extend(shape.columns.iter().enumerate().map(|(place, Column(name, sort))| {
        column(name, "clustering", place, &sort.direction().to_lowercase(), sort.cql())
    }));
    let value = format!("frozen<{}>", type_name(shape, generation));
    for (name, cql) in [("v", value.as_str()), ("e", "bigint")] {
        let (name, mut found) = column(name, "regular", 0, "none", cql);
        found.position = -1;
        columns.insert(name, found);
    }
    columns
}

impl Inner {
    /// Makes what is missing, and looks whether all is as it should be. What is there is not touched, so a user without
    /// the right to make tables can start once another has made them.
    pub(super) async fn set_up(&self, shapes: &[Shape], generation: u32) -> Result<(), Error> {
        let replication = self.replication().await?;
        let mut found = self.found().await?;
        let missing = found.missing(&self.options.keyspace, &replication, shapes, generation);
        if !missing.is_empty() {
            for statement in missing {
                self.define(&statement).await?;
            }
            self.agree().await?;
            found = self.found().await?;
        }
        let drift = found.drift(&replication, shapes, generation);
        self.told(drift)
    }

    /// Whether the tables that belong to no generation, and those of `generations`, are as they should be. How many
    /// copies are kept is not looked at: an operator may change that while all goes on.
    pub(super) async fn check(&self, generations: &[u32]) -> Result<(), Error> {
        let found = self.found().await?;
        if found.replication.is_none() {
            return self.told(vec![format!("there is no keyspace {}", self.options.keyspace)]);
        }
        let (shared, own): (Vec<Shape>, Vec<Shape>) =
            self.shapes.iter().copied().partition(|shape: &Shape| shape.is_shared());
        let mut drift = found.drift_of_tables(&shared, 0);
        for generation in generations {
            drift.extend(found.drift_of_tables(&own, *generation));
        }
        self.told(drift)
    }

    fn told(&self, drift: Vec<String>) -> Result<(), Error> {
        if drift.is_empty() { Ok(()) } else { Err(Error::Drift { place: self.place.clone(), what: drift }) }
    }

    /// Runs a statement that changes the schema, and that may be run twice; the driver waits until the nodes agree.
    pub(super) async fn define(&self, statement: &str) -> Result<(), Error> {
        match self.repeat(|| self.session.query_unpaged(statement, ())).await {
            Ok(_) => Ok(()),
            Err(error) => Err(explain(&self.place, verdict(&error), error)),
        }
    }

    async fn agree(&self) -> Result<(), Error> {
        let agreed = self.session.await_schema_agreement().await;
        agreed.map(drop).map_err(|error| explain(&self.place, Verdict::Again, error))
    }

    async fn replication(&self) -> Result<Replication, Error> {
        let Options { replication, local_dc, .. } = &self.options;
        if !replication.is_empty() {
            return Ok(replication.clone());
        }
        let dc = match local_dc {
            Some(dc) => dc.clone(),
            None => {
                let rows: Vec<(String,)> = self.ask("SELECT data_center FROM system.local", &[]).await?;
                rows.into_iter().map(|(dc,)| dc).next().unwrap_or_default()
            }
        };
        Ok([(dc, self.options.copies)].into())
    }

    /// The schema of the keyspace.
    async fn found(&self) -> Result<Found, Error> {
        let keyspace = [self.options.keyspace.as_str()];
        let text = "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?";
        let replication: Vec<(BTreeMap<String, String>,)> = self.ask(text, &keyspace).await?;
        let text = "SELECT type_name, field_names, field_types FROM system_schema.types WHERE keyspace_name = ?";
        let types: Vec<(String, Texts, Texts)> = self.ask(text, &keyspace).await?;
        let text = "SELECT table_name, column_name, kind, position, clustering_order, type FROM system_schema.columns \
                    WHERE keyspace_name = ?";
        let columns: Vec<(String, String, String, i32, String, String)> = self.ask(text, &keyspace).await?;
        let mut found = Found { replication: replication.into_iter().map(|(map,)| map).next(), ..Found::default() };
        for (name, names, types) in types {
            let fields = names.unwrap_or_default().into_iter().zip(types.unwrap_or_default());
            found.types.insert(name, fields.collect());
        }
        for (table, name, kind, position, order, cql) in columns {
            let column = ColumnFound { kind, position, order: order.to_lowercase(), cql };
            found.tables.entry(table).or_default().insert(name, column);
        }
        Ok(found)
    }

    pub(super) async fn has_table(&self, shape: &Shape, generation: u32) -> Result<bool, Error> {
        let text = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?";
        let names = [self.options.keyspace.as_str(), &table_name(shape, generation)];
        let found: Vec<(String,)> = self.ask(text, &names).await?;
        Ok(!found.is_empty())
    }

    /// The names of all tables.
    pub(super) async fn tables(&self) -> Result<Vec<String>, Error> {
        let text = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?";
        let found: Vec<(String,)> = self.ask(text, &[self.options.keyspace.as_str()]).await?;
        Ok(found.into_iter().map(|(name,)| name).collect())
    }

    /// Rows of the server's own tables. They are small: one answer holds all.
    pub(super) async fn ask<T>(&self, text: &str, names: &[&str]) -> Result<Vec<T>, Error>
    where
        T: for<'a, 'b> scylla::deserialize::row::DeserializeRow<'a, 'b>,
    {
        let answer = self.repeat(|| self.session.query_unpaged(text, names)).await;
        let answer = answer.map_err(|error: ExecutionError| explain(&self.place, verdict(&error), error))?;
        let strange = |error: Box<dyn std::error::Error + Send + Sync>| explain(&self.place, Verdict::Other, error);
        let answer = answer.into_rows_result().map_err(|error| strange(error.into()))?;
        let rows = answer.rows::<T>().map_err(|error| strange(error.into()))?;
        rows.collect::<Result<_, _>>().map_err(|error| strange(error.into()))
    }
}
