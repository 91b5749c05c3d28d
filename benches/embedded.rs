//! What the embedded mode does a second, and what it costs. `make bench` runs it and writes benches/RESULTS.md.
//!
//! Each measure is a sub-command so that it has a process, and a peak of memory, of its own.

mod measure;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let what = args.next().unwrap_or_default();
    let number = |text: Option<String>, default: u64| text.and_then(|text| text.parse().ok()).unwrap_or(default);
    match what.as_str() {
        "fold" => measure::fold::run(number(args.next(), 2_000_000)),
        other => {
            eprintln!("unknown measure {other:?}: fold");
            std::process::exit(2);
        }
    }
}
