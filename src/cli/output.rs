//! What a person or a script reads. The only place that prints.
#![expect(clippy::print_stderr, reason = "this is the program's own terminal")]

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing_subscriber::EnvFilter;

/// Answers go to standard output, everything else to standard error.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// The answer: as text for people, or as JSON for scripts.
    pub(crate) fn answer(self, text: &str, json: &serde_json::Value) {
        if self.json {
            self.raw(&format!("{json}\n"));
        } else {
            self.raw(&format!("{}\n", text.trim_end()));
        }
    }

    /// A word on the side; scripts do not get it.
    pub(crate) fn note(self, text: &str) {
        if !self.json {
            eprintln!("{text}");
        }
    }

    pub(crate) fn error(self, error: &anyhow::Error) {
        if self.json {
            let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
            eprintln!("{}", serde_json::json!({ "error": causes }));
        } else {
            eprintln!("error: {error:#}");
        }
    }

    /// Text as it is, for completions and drawings.
    pub(crate) fn raw(self, text: &str) {
        let mut out = std::io::stdout().lock();
        // Whoever read us may have seen enough.
        drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }

    /// A progress bar, hidden where nobody would see it. Without `len` the end is not known.
    pub(crate) fn bar(self, len: Option<u64>, template: &str) -> ProgressBar {
        let is_seen = !self.json && std::io::stderr().is_terminal();
        let target = if is_seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::with_draw_target(len, target).with_style(style)
    }

    /// `RUST_LOG` chooses what is logged; JSON lines when the answer is JSON.
    pub(crate) fn start_logging(self) {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,tributary=info"));
        let logger = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        let _already_set = if self.json {
            logger.json().try_init()
        } else {
            logger.with_target(false).with_ansi(std::io::stderr().is_terminal()).try_init()
        };
    }
}
