//! The README's tables say what the program does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot read the README has failed")]

use std::collections::BTreeSet;

use vestibule::clock::UnixTime;
use vestibule::consumer::ConsumerVariable;
use vestibule::front_door::{ContractHeader, PRESETS};
use vestibule::refusal::Refusal;
use vestibule::rules::{BEHAVIORS, Operator};
use vestibule::telemetry::metrics::{Ends, Metrics};
use vestibule::variables::{CertificateVariable, ProfileVariable};
use vestibule::x509::profile::{ProfileKind, ViolationCode};

const README: &str = include_str!("../README.md");

#[test]
fn every_refusal_has_its_row_and_no_other_has() {
    let rows: Vec<&str> =
        README.lines().skip_while(|line| *line != "## Refusals").filter(|line| line.starts_with("| `")).collect();
    for refusal in Refusal::ALL {
        let start = format!("| `{}` | {} | ", refusal.code(), refusal.status());
        assert!(rows.iter().any(|row| row.starts_with(&start)), "no row starts with {start}");
    }
    let listed = README.split("## Refusals").nth(1).unwrap().split("\n## ").next().unwrap();
    assert_eq!(listed.lines().filter(|line| line.starts_with("| `")).count(), Refusal::ALL.len());
}

#[test]
fn every_variable_operator_and_behavior_is_named() {
    for variable in CertificateVariable::all() {
        let name = variable.name();
        let short = format!("`…_{}`", name.rsplit('_').next().unwrap());
        assert!(README.contains(&format!("`{name}`")) || README.contains(&short), "{name}");
    }
    for (_, name) in ConsumerVariable::ALL {
        assert!(README.contains(&format!("`{name}`")), "{name}");
    }
    for (_, name) in ProfileVariable::ALL {
        assert!(README.contains(&format!("`{name}`")), "{name}");
    }
    for (_, word) in ProfileKind::ALL {
        assert!(README.contains(&format!("| `{word}` |")), "{word}");
    }
    for code in ViolationCode::ALL {
        assert!(
            README.contains(&format!("`{}`)", code.code())) || README.contains(&format!("`{}`, ", code.code())),
            "{code:?}"
        );
    }
    for name in Operator::NAMES.iter().chain(BEHAVIORS.iter().map(|(name, _)| name)) {
        assert!(README.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn the_metrics_are_those_that_are_served() {
    let metrics = Metrics::default();
    // What has a tenant is served from the first tenant on.
    let end = Some(UnixTime(1));
    metrics.ends(std::iter::once(("bank", Ends { trusted_ca: end, crl: end })));
    let served = metrics.text();
    let served: BTreeSet<&str> =
        served.lines().filter_map(|line| line.strip_prefix("# TYPE vestibule_")?.split(' ').next()).collect();
    let name = |text: &'static str| {
        let end = text.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(text.len());
        let name = &text[..end];
        name.strip_suffix("_total").unwrap_or(name)
    };
    let told: BTreeSet<&str> = README.split("`vestibule_").skip(1).map(name).collect();
    assert_eq!(told, served);
}

#[test]
fn every_format_has_its_row() {
    let section = README.split("### Formats").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| `")).collect();
    for preset in PRESETS {
        let name = format!("`{}`", preset.name);
        let row = rows.iter().find(|row| row.split(" | ").next().unwrap().contains(&name));
        let row = row.unwrap_or_else(|| panic!("no row of {name}"));
        assert_eq!(row.ends_with("| experimental |"), preset.experimental, "{name}");
        let (_, first) = preset.headers.first().unwrap();
        assert!(row.contains(first) || row.contains("as `"), "{name}: {first}");
    }
    for (_, key) in ContractHeader::KEYS {
        assert!(README.contains(&format!("`{key}`")), "{key}");
    }
}
