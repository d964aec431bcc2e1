//! Files and environment to trees of values, by the `config` crate.

use std::path::Path;

use config::{Config, File, FileFormat, Value, ValueKind};

use super::environment::{self, Variables, tenant_prefix};
use super::problem::{Collector, Problem, masked};

/// One file's values, the environment's laid over them.
#[derive(Default)]
pub(super) struct Values {
    /// The tenant's name: the file's without its ending.
    pub(super) name: String,
    pub(super) file: String,
    /// How the names of its variables begin.
    pub(super) prefix: String,
    pub(super) values: Vec<(String, Value)>,
}

/// Everything that was read.
#[derive(Default)]
pub(super) struct Read {
    pub(super) process: Values,
    pub(super) tenants: Vec<Values>,
    pub(super) effective: String,
}

/// Keys whose values are secrets or their tags.
const MASKED: [&str; 2] = ["pepper", "cname_api_keys"];

pub(super) fn read(folder: &Path, collector: &Collector) -> Read {
    let mut read = Read::default();
    let variables = Variables::read(collector);
    if let Some(mut process) = values(&folder.join("vestibule.toml"), environment::PREFIX, &variables, collector) {
        // Variables for tenants have the same prefix; each tenant's file takes its own.
        process.values.retain(|(key, _)| key != "tenants");
        read.process = process;
    }
    let mut names = Vec::new();
    for path in tenant_files(folder, collector) {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        names.push(name.clone());
        if let Some(tenant) = values(&path, &tenant_prefix(&name), &variables, collector) {
            read.tenants.push(Values { name, ..tenant });
        }
    }
    variables.refuse_unknown_tenants(&names, collector);
    for file in std::iter::once(&read.process).chain(&read.tenants) {
        read.effective.push_str(&format!("# {}\n", file.file));
        for (key, value) in &file.values {
            show(&mut read.effective, key, value);
        }
    }
    read
}

fn tenant_files(folder: &Path, collector: &Collector) -> Vec<std::path::PathBuf> {
    let folder = folder.join("tenants");
    let problem = |found: String| {
        let accepted = "a folder `tenants` with one TOML file for each tenant".into();
        collector.add(Problem { file: folder.display().to_string(), key: String::new(), found, accepted });
    };
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(why) => {
            problem(format!("cannot be read: {why}"));
            return Vec::new();
        }
    };
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect();
    files.sort();
    if files.is_empty() {
        problem("holds no tenant".into());
    }
    files
}

fn values(path: &Path, prefix: &str, variables: &Variables, collector: &Collector) -> Option<Values> {
    let file = path.display().to_string();
    let source = File::from(path).format(FileFormat::Toml);
    let read = Config::builder().add_source(source).add_source(variables.below(prefix)).build();
    match read.map(|config| config.cache.into_table()) {
        Ok(Ok(table)) => {
            let mut values: Vec<_> = table.into_iter().collect();
            values.sort_by(|(one, _), (other, _)| one.cmp(other));
            Some(Values { name: String::new(), file, prefix: prefix.to_owned(), values })
        }
        Ok(Err(why)) | Err(why) => {
            let found = without_quoted_lines(&why.to_string());
            collector.add(Problem { file, key: String::new(), found, accepted: "a readable TOML file".into() });
            None
        }
    }
}

/// A parser's message without the lines of the file that it quotes: one of them may hold a secret.
fn without_quoted_lines(message: &str) -> String {
    let is_quoted =
        |line: &&str| line.trim_start_matches([' ', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']).starts_with('|');
    let lines: Vec<&str> = message.lines().filter(|line| !is_quoted(line)).map(str::trim).collect();
    lines.join(": ")
}

fn show(out: &mut String, path: &str, value: &Value) {
    let last = path.rsplit('.').next().unwrap_or(path);
    if MASKED.contains(&last) {
        out.push_str(&format!("{path} = ***\n"));
        return;
    }
    match &value.kind {
        ValueKind::Table(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            for (key, value) in entries {
                show(out, &format!("{path}.{key}"), value);
            }
        }
        ValueKind::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                show(out, &format!("{path}[{at}]"), value);
            }
        }
        // A tag under a wrong key is still a tag; a fingerprint in a rule is public.
        ValueKind::String(text) if text.contains("hmac-sha256:") => out.push_str(&format!("{path} = {:?}\n", masked(text))),
        ValueKind::String(text) => out.push_str(&format!("{path} = {text:?}\n")),
        other => out.push_str(&format!("{path} = {other}\n")),
    }
}
