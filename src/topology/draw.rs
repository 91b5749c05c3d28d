//! The topology as text and as graphs.

use std::fmt::Write;

use super::{ALL_TABLES, Class, Cleanup, Processor, Retention, Table, Topic, Topology};

/// For people at a terminal.
pub(super) fn text(topology: &Topology) -> String {
    let mut out = String::from("processors\n");
    for processor in &topology.processors {
        text_processor(&mut out, processor);
    }
    out.push_str("\ntopics\n");
    for topic in &topology.topics {
        text_topic(&mut out, topic);
    }
    out.push_str("\ntables\n");
    for table in &topology.tables {
        text_table(&mut out, table);
    }
    out
}

fn text_processor(out: &mut String, processor: &Processor) {
    let Processor { name, does, reads, writes, keeps } = processor;
    line(out, format_args!("  {} → {name} → {}", reads.join(", "), writes.join(", ")));
    line(out, format_args!("      {does}"));
    for kept in keeps {
        line(out, format_args!("      keeps {kept}"));
    }
}

fn text_topic(out: &mut String, topic: &Topic) {
    let retention = match topic.retention {
        Retention::Forever => "kept for ever".to_owned(),
        Retention::Days(days) => format!("kept for {days} days"),
    };
    let cleanup = match topic.cleanup {
        Cleanup::Delete => "",
        Cleanup::Compact => ", compacted",
    };
    line(out, format_args!("  {}", topic.name));
    line(out, format_args!("      {}", topic.does));
    line(out, format_args!("      {} partitions, key {}, {retention}{cleanup}", topic.partitions, topic.key));
    if !topic.records.is_empty() {
        line(out, format_args!("      records {}", topic.records.join(", ")));
    }
}

fn text_table(out: &mut String, table: &Table) {
    let class = class(table.class);
    let month = if table.by_month { ", by month" } else { "" };
    line(out, format_args!("  {:<11} {class}, {} shards{month}: ({})", table.name, table.shards, table.key.join(", ")));
    line(out, format_args!("      {}", table.serves));
}

const fn class(class: Class) -> &'static str {
    match class {
        Class::Fast => "fast",
        Class::Slow => "slow",
    }
}

/// For Markdown: a flow chart from left to right.
pub(super) fn mermaid(topology: &Topology) -> String {
    let mut out = String::from("flowchart LR\n");
    for outside in &topology.outside {
        line(&mut out, format_args!("    {}([{}])", node(&outside.name), outside.name));
    }
    for processor in &topology.processors {
        line(&mut out, format_args!("    {}[{}]", node(&processor.name), processor.name));
    }
    for topic in &topology.topics {
        line(&mut out, format_args!("    {}[/{}/]", node(&topic.name), topic.name));
    }
    line(&mut out, format_args!("    subgraph {ALL_TABLES}"));
    for table in &topology.tables {
        line(&mut out, format_args!("        table_{}[({})]", table.name, table.name));
    }
    out.push_str("    end\n");
    for (from, to) in edges(topology) {
        line(&mut out, format_args!("    {} --> {}", node(from), node(to)));
    }
    out
}

/// For Graphviz.
pub(super) fn dot(topology: &Topology) -> String {
    let mut out = String::from("digraph tributary {\n    rankdir=LR;\n    compound=true;\n");
    for outside in &topology.outside {
        line(&mut out, format_args!("    {:?} [shape=plaintext];", outside.name));
    }
    for processor in &topology.processors {
        line(&mut out, format_args!("    {:?} [shape=box];", processor.name));
    }
    for topic in &topology.topics {
        line(&mut out, format_args!("    {:?} [shape=cds];", topic.name));
    }
    line(&mut out, format_args!("    subgraph cluster_{ALL_TABLES} {{\n        label={ALL_TABLES:?};"));
    for table in &topology.tables {
        line(&mut out, format_args!("        \"table {}\" [label={:?}, shape=cylinder];", table.name, table.name));
    }
    out.push_str("    }\n");
    // An edge ends at a node; `lhead` and `ltail` let it end at the frame around the tables.
    let frame = topology.tables.first().map(|table| format!("table {}", table.name)).unwrap_or_default();
    for (from, to) in edges(topology) {
        match (from == ALL_TABLES, to == ALL_TABLES) {
            (true, _) => line(&mut out, format_args!("    {frame:?} -> {to:?} [ltail=cluster_{ALL_TABLES}];")),
            (_, true) => line(&mut out, format_args!("    {from:?} -> {frame:?} [lhead=cluster_{ALL_TABLES}];")),
            (false, false) => line(&mut out, format_args!("    {from:?} -> {to:?};")),
        }
    }
    out.push_str("}\n");
    out
}

fn edges(topology: &Topology) -> Vec<(&str, &str)> {
    let mut edges = Vec::new();
    for processor in &topology.processors {
        edges.extend(processor.reads.iter().map(|from| (from.as_str(), processor.name.as_str())));
        edges.extend(processor.writes.iter().map(|to| (processor.name.as_str(), to.as_str())));
    }
    edges
}

/// A name that Mermaid takes as a node.
fn node(name: &str) -> String {
    name.replace(['.', '-'], "_")
}

fn line(out: &mut String, what: std::fmt::Arguments<'_>) {
    writeln!(out, "{what}").expect("a text takes everything");
}
