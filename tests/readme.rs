//! What the README and `docs/` say is what the program does, and their links lead somewhere.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot read the README has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use vestibule::clock::UnixTime;
use vestibule::consumer::ConsumerVariable;
use vestibule::front_door::{ContractHeader, PRESETS};
use vestibule::refusal::Refusal;
use vestibule::rules::{BEHAVIORS, Operator};
use vestibule::telemetry::metrics::{Ends, Metrics};
use vestibule::variables::{CertificateVariable, ProfileVariable};
use vestibule::x509::profile::{ProfileKind, ViolationCode};

const REFUSALS: &str = include_str!("../docs/refusals.md");
const VARIABLES: &str = include_str!("../docs/variables.md");
const RULES: &str = include_str!("../docs/rules.md");
const METRICS: &str = include_str!("../docs/observability.md");
const FRONT_DOORS: &str = include_str!("../docs/front-doors.md");

#[test]
fn every_refusal_has_its_row_and_no_other_has() {
    let rows: Vec<&str> = REFUSALS.lines().filter(|line| line.starts_with("| `")).collect();
    for refusal in Refusal::ALL {
        let start = format!("| `{}` | {} | ", refusal.code(), refusal.status());
        assert!(rows.iter().any(|row| row.starts_with(&start)), "no row starts with {start}");
    }
    assert_eq!(rows.len(), Refusal::ALL.len());
}

#[test]
fn every_variable_operator_and_behavior_is_named() {
    for variable in CertificateVariable::all() {
        let name = variable.name();
        let short = format!("`…_{}`", name.rsplit('_').next().unwrap());
        assert!(VARIABLES.contains(&format!("`{name}`")) || VARIABLES.contains(&short), "{name}");
    }
    for (_, name) in ConsumerVariable::ALL {
        assert!(VARIABLES.contains(&format!("`{name}`")), "{name}");
    }
    for (_, name) in ProfileVariable::ALL {
        assert!(VARIABLES.contains(&format!("`{name}`")), "{name}");
    }
    for (_, word) in ProfileKind::ALL {
        assert!(VARIABLES.contains(&format!("| `{word}` |")), "{word}");
    }
    for code in ViolationCode::ALL {
        assert!(
            VARIABLES.contains(&format!("`{}`)", code.code())) || VARIABLES.contains(&format!("`{}`, ", code.code())),
            "{code:?}"
        );
    }
    for name in Operator::NAMES.iter().chain(BEHAVIORS.iter().map(|(name, _)| name)) {
        assert!(RULES.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn the_metrics_are_those_that_are_served() {
    let mut metrics = Metrics::default();
    metrics.watch_store();
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
    let told: BTreeSet<&str> = METRICS.split("`vestibule_").skip(1).map(name).collect();
    assert_eq!(told, served);
}

#[test]
fn every_format_has_its_row() {
    let section = FRONT_DOORS.split("### Formats").nth(1).unwrap().split("\n## ").next().unwrap();
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
        assert!(FRONT_DOORS.contains(&format!("`{key}`")), "{key}");
    }
}

#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md"), root.join("CHANGELOG.md")];
    pages.extend(fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    assert!(pages.len() > 10, "{pages:?}");
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.starts_with("http") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(file.exists(), "{}: {target}", page.display());
            assert!(
                anchor.is_empty() || anchors(&fs::read_to_string(&file).unwrap()).contains(anchor),
                "{}: {target}",
                page.display()
            );
        }
    }
}

/// What a page's headings are linked by.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut in_code = false;
    let headings = page.lines().filter(|line| {
        in_code ^= line.starts_with("```");
        !in_code && line.starts_with('#')
    });
    let slug = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|one| one.is_alphanumeric() || matches!(one, ' ' | '-' | '_'));
        kept.collect::<String>().replace(' ', "-")
    };
    headings.map(slug).collect()
}
