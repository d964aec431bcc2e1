//! Azion's rules and mTLS settings, in the shapes of API v3 and v4 and of its guides, as a tenant's TOML.
//!
//! Pure: JSON in, TOML and remarks out. **What cannot be carried whole is never carried in part and left on**: a rule with a
//! gap that could matter for who gets in is written with `active = false`, and the gap is marked where it is. Only what a CDN
//! alone needs (caches, images) is dropped from a rule that stays on.

mod behavior;
mod behavior_kind;
mod criterion;
mod custom_answer;
mod mtls;
mod piece;
mod rule;
mod shape;
mod template;
mod toml;
mod value_form;
mod variable;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use self::rule::Rule;
use self::shape::Found;
pub use super::remark::Remark;
use super::remark::one_line;
use crate::variables::Dialect;

/// When a rule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Phase {
    /// Edge Firewall rules: before all others.
    Firewall,
    /// Application rules for the request.
    Request,
    /// Application rules for the answer.
    Response,
}

/// One JSON document and what it is called in remarks.
#[derive(Debug)]
pub struct Source {
    /// The file's name.
    pub name: String,
    /// What it holds.
    pub json: Value,
}

/// What became of the sources.
#[derive(Debug)]
pub struct Conversion {
    /// A piece of a tenant's file.
    pub toml: String,
    /// What the user has to know, in the order of the sources.
    pub remarks: Vec<Remark>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    carried: usize,
    switched_off: usize,
    left_out: usize,
}

/// Rules do not say their phase, and nobody else does.
#[derive(Debug)]
pub struct NoPhase(Vec<String>);

/// What the TOML refers to and the user has to bring.
#[derive(Debug, Default)]
struct Needs {
    lists: BTreeSet<String>,
    upstreams: BTreeSet<String>,
    geoip: bool,
    forwarded_proto: bool,
    /// The tenant's `output_dialect`.
    dialect: Dialect,
    /// Whether texts hold variables that look different in each dialect.
    forms: bool,
}

/// Converts everything in `sources`. `phase` is that of rules that do not say it themselves, `dialect` the tenant's: how names,
/// serial numbers and dates are written, in what rules compare and in what they send.
///
/// # Errors
/// [`NoPhase`] when a rule says no phase and `phase` is none.
pub fn convert(sources: &[Source], phase: Option<Phase>, dialect: Dialect) -> Result<Conversion, NoPhase> {
    let mut remarks = Vec::new();
    let mut needs = Needs { dialect, ..Needs::default() };
    let mut rules: Vec<Rule> = Vec::new();
    let mut settings = Vec::new();
    let mut without_phase = Vec::new();
    for source in sources {
        let mut of_source = Vec::new();
        for found in shape::find(source, &mut remarks) {
            match found {
                Found::Rule(json) => match rule::convert(&source.name, of_source.len(), json, phase, &mut needs) {
                    Ok(rule) => of_source.push(rule),
                    Err(name) => without_phase.push(name),
                },
                Found::Domain(json) => settings.extend(mtls::convert(&source.name, json, &mut remarks)),
            }
        }
        rules.append(&mut rule::in_order(of_source, &mut remarks));
    }
    if !without_phase.is_empty() {
        return Err(NoPhase(without_phase));
    }
    // Firewall first, then the Default Rule; the sort is stable, so the rest stays as it was.
    rules.sort_by_key(|rule| (rule.phase, !rule.is_default));
    let settings = mtls::only_one(settings, &mut remarks);
    let counts = count(&rules);
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let toml = toml::write(&names, &rules, settings.as_ref(), &needs);
    remarks.extend(rules.into_iter().flat_map(|rule| rule.remarks));
    remarks.extend(needs.remarks());
    Ok(Conversion { toml, remarks, counts })
}

fn count(rules: &[Rule]) -> Counts {
    let mut counts = Counts::default();
    for rule in rules {
        match (rule.whole, rule.is_written()) {
            (true, true) => counts.carried += 1,
            (_, false) => counts.left_out += 1,
            (false, true) => counts.switched_off += 1,
        }
    }
    counts
}

impl Conversion {
    /// Whether nothing was left out.
    pub fn is_whole(&self) -> bool {
        !self.remarks.iter().any(|remark| remark.left_out)
    }

    /// One line about all of it.
    pub fn summary(&self) -> String {
        let Counts { carried, switched_off, left_out } = self.counts;
        format!("rules: {carried} carried over, {switched_off} written with `active = false`, {left_out} left out")
    }
}

impl Needs {
    fn remarks(&self) -> Vec<Remark> {
        let mut remarks = Vec::new();
        for list in &self.lists {
            remarks
                .push(Remark::note(format!("write the entries of the network list into `lists/{list}`, one a line"), "lists"));
        }
        for upstream in &self.upstreams {
            remarks.push(Remark::note(format!("write [upstreams.{upstream}] with the `url` of that origin"), "upstreams"));
        }
        if self.forwarded_proto {
            let text = "rules ask for the scheme: the front door has to say it (`forwarded_proto` in [front_doors.headers])";
            remarks.push(Remark::note(text.into(), "scheme"));
        }
        if self.forms && self.dialect == Dialect::Nginx {
            let text =
                "texts with DNs, serial numbers or dates have nginx's forms here; with `--dialect azion` they keep Azion's";
            remarks.push(Remark::note(text.into(), "forms"));
        }
        if self.geoip {
            remarks.push(Remark::note("rules ask for `${geoip_…}`: set `geoip.database` in vestibule.toml".into(), "geoip"));
        }
        remarks
    }
}

impl Phase {
    fn word(self) -> &'static str {
        match self {
            Self::Firewall => "firewall",
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

impl fmt::Display for NoPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.0.first().map_or_else(String::new, |name| one_line(name));
        let others = self.0.len().saturating_sub(1);
        let more = if others > 0 { format!(" and {others} more") } else { String::new() };
        write!(f, "{first}{more}: the JSON does not say which phase it is for; add --phase request, response or firewall")
    }
}
