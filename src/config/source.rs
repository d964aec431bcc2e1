//! Files and environment to trees of values, by the `config` crate.

use std::path::Path;

use config::{Config, Environment, File, FileFormat, Value, ValueKind};

use super::problem::{Collector, Problem};

/// One file's values, the environment's laid over them.
#[derive(Default)]
pub(super) struct Values {
    /// The tenant's name: the file's without its ending.
    pub(super) name: String,
    pub(super) file: String,
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
    if let Some(mut process) = values(&folder.join("vestibule.toml"), "VESTIBULE", collector) {
        // Variables for tenants have the same prefix; each tenant's file takes its own.
        process.values.retain(|(key, _)| key != "tenants");
        read.process = process;
    }
    for path in tenant_files(folder, collector) {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let prefix = format!("VESTIBULE__TENANTS__{}", name.to_ascii_uppercase().replace('-', "_"));
        if let Some(tenant) = values(&path, &prefix, collector) {
            read.tenants.push(Values { name, ..tenant });
        }
    }
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

fn values(path: &Path, prefix: &str, collector: &Collector) -> Option<Values> {
    let file = path.display().to_string();
    let environment = Environment::with_prefix(prefix).prefix_separator("__").separator("__").try_parsing(true);
    let source = File::from(path).format(FileFormat::Toml);
    let read = Config::builder().add_source(source).add_source(environment).build();
    match read.map(|config| config.cache.into_table()) {
        Ok(Ok(table)) => {
            let mut values: Vec<_> = table.into_iter().collect();
            values.sort_by(|(one, _), (other, _)| one.cmp(other));
            Some(Values { name: String::new(), file, values })
        }
        Ok(Err(why)) | Err(why) => {
            let accepted = "a readable TOML file".into();
            collector.add(Problem { file, key: String::new(), found: why.to_string().replace('\n', " "), accepted });
            None
        }
    }
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
        ValueKind::String(text) => out.push_str(&format!("{path} = {text:?}\n")),
        other => out.push_str(&format!("{path} = {other}\n")),
    }
}
