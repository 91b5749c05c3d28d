//! A Rust file: the paths it names, its functions, its words and its comments, each with the line.

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::Finding;
use super::tree::{self, TextFile};

/// What a file is made of, as far as the rules ask.
#[derive(Debug, Default)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
    /// Every path named, in full: `crate::fold::Fold`, `std::fs`, `super` and `self` worked out.
    pub(super) paths: Vec<(usize, Vec<String>)>,
    /// Every macro called: its path, and every name given to it.
    pub(super) macros: Vec<(usize, String, Vec<String>)>,
    /// Every word of the code, comments and texts left out.
    pub(super) words: Vec<(usize, String)>,
    /// Every text in quotes, docs left out.
    pub(super) texts: Vec<(usize, String)>,
    /// Name, and lines of the body that are neither empty nor comment.
    pub(super) functions: Vec<(usize, String, usize)>,
    /// Name, and number of methods.
    pub(super) traits: Vec<(usize, String, usize)>,
    pub(super) statics: Vec<(usize, String)>,
    /// `async` in any form.
    pub(super) asyncs: Vec<usize>,
}

impl Source {
    pub(super) fn parse(file: TextFile) -> Self {
        let parsed = syn::parse_file(&file.text).unwrap_or_else(|error| panic!("{} is no Rust: {error}", file.path));
        let tokens: TokenStream = file.text.parse().expect("parsed just now");
        let module = module_of(&file.path);
        let mut source = Self { path: file.path, text: file.text, ..Self::default() };
        source.read_words(tokens);
        let mut reader = Reader { source: &mut source, module };
        reader.visit_file(&parsed);
        source
    }

    /// All of `src`.
    pub(super) fn of_program() -> Vec<Self> {
        tree::files_like("src", ".rs").into_iter().map(Self::parse).collect()
    }

    /// All that is written in Rust here.
    pub(super) fn of_all() -> Vec<Self> {
        let folders = ["src", "tests", "benches", "fuzz"];
        folders.into_iter().flat_map(|folder| tree::files_like(folder, ".rs")).map(Self::parse).collect()
    }

    /// The stage or part: `fold` for `src/fold/time.rs` and for `src/fold.rs`.
    pub(super) fn room(&self) -> &str {
        let below = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let name = below.split('/').next().unwrap_or(below);
        name.strip_suffix(".rs").unwrap_or(name)
    }

    pub(super) fn finding(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding { file: self.path.clone(), line, what: what.into() }
    }

    fn read_words(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let line = token.span().start().line;
            match token {
                TokenTree::Ident(word) => self.words.push((line, word.to_string())),
                TokenTree::Literal(literal) => self.read_text(line, &literal),
                TokenTree::Punct(mark) if mark.as_char() == '#' => {
                    let is_doc = matches!(tokens.peek(), Some(TokenTree::Group(group))
                        if group.stream().into_iter().next().is_some_and(|first| first.to_string() == "doc"));
                    if is_doc {
                        tokens.next();
                    }
                }
                TokenTree::Group(group) => self.read_words(group.stream()),
                TokenTree::Punct(_) => {}
            }
        }
    }

    fn read_text(&mut self, line: usize, literal: &proc_macro2::Literal) {
        if let syn::Lit::Str(text) = syn::Lit::new(literal.clone()) {
            self.texts.push((line, text.value()));
        }
    }
}

/// `crate::fold::time` for `src/fold/time.rs`; outside `src` the path of the file stands for itself.
fn module_of(path: &str) -> Vec<String> {
    let Some(below) = path.strip_prefix("src/") else { return vec!["crate".to_owned()] };
    let below = below.strip_suffix(".rs").unwrap_or(below);
    let below = below.strip_suffix("/mod").unwrap_or(below);
    let mut module = vec!["crate".to_owned()];
    module.extend(below.split('/').filter(|part| !matches!(*part, "lib" | "main")).map(str::to_owned));
    module
}

fn idents(tokens: TokenStream, names: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => names.push(name.to_string()),
            TokenTree::Group(group) => idents(group.stream(), names),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

struct Reader<'a> {
    source: &'a mut Source,
    /// Where the code stands, for `super`.
    module: Vec<String>,
}

impl Reader<'_> {
    fn name(&mut self, line: usize, path: Vec<String>) {
        let mut full = Vec::new();
        for part in path {
            match part.as_str() {
                "self" if full.is_empty() => full = self.module.clone(),
                "super" => {
                    if full.is_empty() {
                        full = self.module.clone();
                    }
                    full.pop();
                }
                _ => full.push(part),
            }
        }
        self.source.paths.push((line, full));
    }

    fn use_tree(&mut self, tree: &syn::UseTree, before: &[String]) {
        let with = |name: &syn::Ident| before.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
        match tree {
            syn::UseTree::Path(path) => self.use_tree(&path.tree, &with(&path.ident)),
            syn::UseTree::Name(name) => self.name(name.span().start().line, with(&name.ident)),
            syn::UseTree::Rename(rename) => self.name(rename.span().start().line, with(&rename.ident)),
            syn::UseTree::Glob(glob) => self.name(glob.span().start().line, before.to_vec()),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.use_tree(item, before)),
        }
    }

    /// Paths in what is given to a macro, which nobody parses before it is expanded.
    fn macro_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        let mut line = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(word) if path.is_empty() || colons == 2 => {
                    line = word.span().start().line;
                    path.push(word.to_string());
                    colons = 0;
                    continue;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(word) => {
                    self.end_of_path(line, &mut path);
                    line = word.span().start().line;
                    path.push(word.to_string());
                }
                TokenTree::Group(group) => {
                    self.end_of_path(line, &mut path);
                    self.macro_tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => self.end_of_path(line, &mut path),
            }
            colons = 0;
        }
        self.end_of_path(line, &mut path);
    }

    fn end_of_path(&mut self, line: usize, path: &mut Vec<String>) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.name(line, path);
        }
    }

    fn function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let (first, last) = (body.span().start().line, body.span().end().line);
        let lines = self.source.text.lines().skip(first).take(last.saturating_sub(first + 1));
        let code = lines.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count();
        self.source.functions.push((first, signature.ident.to_string(), code));
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.use_tree(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.name(path.span().start().line, parts);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let path: Vec<String> = call.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let mut names = Vec::new();
        idents(call.tokens.clone(), &mut names);
        self.source.macros.push((call.span().start().line, path.join("::"), names));
        visit::visit_macro(self, call);
        self.macro_tokens(call.tokens.clone());
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if let Some(word) = signature.asyncness {
            self.source.asyncs.push(word.span().start().line);
        }
        visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.source.asyncs.push(block.span().start().line);
        visit::visit_expr_async(self, block);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        let methods = item.items.iter().filter(|item| matches!(item, syn::TraitItem::Fn(_))).count();
        self.source.traits.push((item.ident.span().start().line, item.ident.to_string(), methods));
        visit::visit_item_trait(self, item);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.source.statics.push((item.span().start().line, item.ident.to_string()));
        visit::visit_item_static(self, item);
    }
}
