//! The schemas of the log.

pub(crate) mod decision;
mod golden;

use tributary::schema;

#[test]
fn released_schemas_are_unchanged_and_the_current_ones_go_with_them_both_ways() {
    let report = schema::check().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.len(), schema::RELEASED.len());
    report.iter().for_each(|line| println!("{line}"));
}
