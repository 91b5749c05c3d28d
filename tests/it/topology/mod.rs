//! `topology/` is what the program does.

use expect_test::expect;
use tributary::consume::Stream;
use tributary::event::Kind;
use tributary::project::tables;
use tributary::topology::{Class, Format, Topology};

#[test]
fn the_topics_are_the_streams_of_the_log() {
    let topology = Topology::load().unwrap();
    let declared: Vec<&str> = topology.topics.iter().map(|topic| topic.name.as_str()).collect();
    let streams: Vec<&str> = Stream::ALL.into_iter().map(Stream::name).collect();
    assert_eq!(declared, streams);
    for topic in &topology.topics {
        assert_eq!(topic.partitions, tributary::consume::embedded::PARTITIONS, "{}", topic.name);
    }
}

#[test]
fn the_events_topic_holds_every_kind_of_event() {
    let topology = Topology::load().unwrap();
    let events = topology.topics.iter().find(|topic| topic.name == Stream::Events.name()).unwrap();
    let kinds: Vec<String> = Kind::ALL.into_iter().map(|kind| format!("{kind:?}")).collect();
    assert_eq!(events.records, kinds);
}

#[test]
fn the_tables_are_those_the_program_writes() {
    let topology = Topology::load().unwrap();
    let declared: Vec<_> =
        topology.tables.iter().map(|t| (t.id, t.name.as_str(), t.shards, t.class, t.by_month)).collect();
    let written: Vec<_> = tables::ALL.iter().map(|t| (t.id.0, t.name, t.shards, class(t.class), t.by_month)).collect();
    assert_eq!(declared, written, "make topology/tables.toml and src/project/tables.rs agree");
}

const fn class(class: tables::Class) -> Class {
    match class {
        tables::Class::Fast => Class::Fast,
        tables::Class::Slow => Class::Slow,
    }
}

#[test]
fn a_name_that_stands_for_nothing_is_refused() {
    let processors =
        "outside = []\n[[processor]]\nname = \"p\"\ndoes = \"\"\nreads = [\"nowhere\"]\nwrites = []\nkeeps = []";
    let error = Topology::parse("topic = []", processors, "table = []").unwrap_err();
    expect![[r#"processor "p" names "nowhere", which is no topic, no outside and not "tables""#]]
        .assert_eq(&error.to_string());
}

#[test]
fn a_table_number_given_twice_is_refused() {
    let table = |name: &str| {
        format!("[[table]]\nid = 1\nname = \"{name}\"\nkey = []\nshards = 1\nclass = \"fast\"\nserves = \"\"\n")
    };
    let tables = format!("{}{}", table("a"), table("b"));
    let error = Topology::parse("topic = []", "outside = []\nprocessor = []", &tables).unwrap_err();
    expect![[r#"topology/tables.toml names "1" twice; give each a name and number of its own"#]]
        .assert_eq(&error.to_string());
}

#[test]
fn every_drawing_shows_every_part() {
    let topology = Topology::load().unwrap();
    for format in Format::ALL {
        let drawn = topology.render(format);
        let names = topology.topics.iter().map(|t| &t.name).chain(topology.tables.iter().map(|t| &t.name));
        for name in names.chain(topology.processors.iter().map(|p| &p.name)) {
            assert!(drawn.contains(name.as_str()), "{} does not show {name}:\n{drawn}", format.name());
        }
        assert_eq!(format.name().parse::<Format>().unwrap(), format);
    }
}

#[test]
fn the_mermaid_drawing_reads_from_left_to_right() {
    let topics = "[[topic]]\nname = \"a.b\"\ndoes = \"\"\nkey = \"\"\npartitions = 1\npartitioner = \"\"\n\
                  retention = { days = 3 }\ncleanup = \"compact\"\nrecords = []";
    let processors = "[[outside]]\nname = \"out\"\ndoes = \"\"\n[[processor]]\nname = \"p\"\ndoes = \"\"\n\
                      reads = [\"a.b\"]\nwrites = [\"tables\", \"out\"]\nkeeps = []";
    let tables = "[[table]]\nid = 1\nname = \"t\"\nkey = []\nshards = 1\nclass = \"slow\"\nserves = \"\"";
    let topology = Topology::parse(topics, processors, tables).unwrap();
    expect![[r"
        flowchart LR
            out([out])
            p[p]
            a_b[/a.b/]
            subgraph tables
                table_t[(t)]
            end
            a_b --> p
            p --> tables
            p --> out
    "]]
    .assert_eq(&topology.render(Format::Mermaid));
}
