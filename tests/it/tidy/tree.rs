//! The files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file of the repository; `path` is from its root, with slashes.
#[derive(Debug, Clone)]
pub(super) struct TextFile {
    pub(super) path: String,
    pub(super) text: String,
}

impl TextFile {
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }
}

pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What is made or fetched, and so is nobody's text.
const NOT_OURS: [&str; 5] = ["target", ".git", "data", "node_modules", "proptest-regressions"];

/// Every text file below `folder` of the repository, in order of their paths.
pub(super) fn files(folder: &str) -> Vec<TextFile> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// As [`files`], those that end in `suffix`.
pub(super) fn files_like(folder: &str, suffix: &str) -> Vec<TextFile> {
    files(folder).into_iter().filter(|file| file.path.ends_with(suffix)).collect()
}

pub(super) fn read(path: &str) -> TextFile {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("cannot read {path}: {error}"));
    TextFile { path: path.to_owned(), text }
}

fn walk(folder: &Path, found: &mut Vec<TextFile>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.map(|entry| entry.expect("a readable folder")) {
        let path = entry.path();
        let name = entry.file_name();
        if NOT_OURS.iter().any(|not_ours| name == *not_ours) {
            continue;
        }
        if path.is_dir() {
            walk(&path, found);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let path = path.strip_prefix(root()).expect("below the root");
            found.push(TextFile { path: path.to_str().expect("a name in UTF-8").to_owned(), text });
        }
    }
}
