//! `vestibule import azion`: JSON in every shape that Azion's API and guides show, as TOML that loads and does the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/edge_config.rs"]
mod edge_config;
#[path = "support/http_client.rs"]
mod http_client;
#[path = "support/pki.rs"]
mod pki;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/recording_upstream.rs"]
mod recording_upstream;
#[path = "support/vestibule.rs"]
mod vestibule_program;

#[path = "import_azion/dialect.rs"]
mod dialect;
#[path = "import_azion/hostile.rs"]
mod hostile;
#[path = "import_azion/mtls.rs"]
mod mtls;
#[path = "import_azion/pieces.rs"]
mod pieces;
#[path = "import_azion/program.rs"]
mod program;
#[path = "import_azion/shapes.rs"]
mod shapes;
#[path = "import_azion/whole_engine.rs"]
mod whole_engine;

use serde_json::{Value, json};
use vestibule::cli::import::azion::{Conversion, Phase, Source, convert};
use vestibule::variables::Dialect;

fn import(json: Value, phase: Option<Phase>) -> Conversion {
    import_to(Dialect::Nginx, json, phase)
}

fn import_to(dialect: Dialect, json: Value, phase: Option<Phase>) -> Conversion {
    convert(&[Source { name: "rules.json".into(), json }], phase, dialect).unwrap()
}

/// The TOML as a reader of configuration sees it, as JSON.
fn read(toml: &str) -> Value {
    let file = config::File::from_str(toml, config::FileFormat::Toml);
    let read = config::Config::builder().add_source(file).build().unwrap_or_else(|why| panic!("{why}\n{toml}"));
    read.try_deserialize().unwrap()
}

/// The rules that were written.
fn rules(conversion: &Conversion) -> Vec<Value> {
    read(&conversion.toml)["rules"].as_array().cloned().unwrap_or_default()
}

fn left_out(conversion: &Conversion) -> String {
    let lines = conversion.remarks.iter().filter(|remark| remark.left_out);
    lines.map(|remark| format!("{remark}\n")).collect()
}

/// A rule of v4.
fn rule(criteria: Value, behaviors: Value) -> Value {
    json!({ "name": "r", "active": true, "criteria": criteria, "behaviors": behaviors })
}

fn always() -> Value {
    json!([[{ "conditional": "if", "variable": "${uri}", "operator": "starts_with", "argument": "/" }]])
}
