//! `vestibule inspect FILE`: every variable of a certificate, computed from the certificate alone.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::failed;
use crate::clock::UnixTime;
use crate::variables::{CertificateVariable, CertificateVariables, Dialect, Moment, ProfileVariable, Scalar};
use crate::verifier::{TrustedCas, VerificationSettings, optional_no_ca_text, verify};
use crate::x509::certificate::{Certificate, CertificateError};
use crate::x509::name::Name;
use crate::x509::path::EXTENDED_KEY_USAGE;
use crate::x509::profile::{Assessment, ProfileKind};
use crate::x509::trusted_ca::{Source, TrustMaterial, TrustOptions};
use crate::x509::{lint, object_names, oid};

/// The arguments of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A PEM file, the client's certificate first and then its chain; or one DER certificate
    file: PathBuf,
    /// Print one JSON object: variable names and texts
    #[arg(long)]
    json: bool,
    /// The time to judge at, instead of now
    #[arg(long, value_name = "RFC3339", value_parser = instant)]
    at: Option<UnixTime>,
    /// PEM files with the CAs to verify against; without any, `ssl_client_verify` is what nginx says with `optional_no_ca`
    #[arg(long, value_name = "FILE")]
    trusted_ca: Vec<PathBuf>,
    /// Also print the variables and violations of a profile: cdr, open_banking_uk, open_banking_uk_legacy,
    /// open_finance_brasil, psd2. Whether its issuer has this profile, the file cannot say
    #[arg(long, value_name = "KIND", value_parser = profile_kind)]
    profile: Option<ProfileKind>,
    /// How names, serial numbers and dates are written: nginx, azion
    #[arg(long, value_name = "NAME", default_value = "nginx", value_parser = Dialect::parse)]
    dialect: Dialect,
}

fn profile_kind(text: &str) -> Result<ProfileKind, String> {
    let found = ProfileKind::ALL.iter().find(|(_, word)| *word == text).map(|(kind, _)| *kind);
    found.ok_or_else(|| format!("the profiles are {}", ProfileKind::ALL.map(|(_, word)| word).join(", ")))
}

/// Runs the command.
pub fn run(args: &InspectArgs, out: &mut dyn Write) -> ExitCode {
    let certificates = match read(&args.file) {
        Ok(certificates) => certificates,
        Err(error) => {
            return failed(&format!("cannot read a certificate from `{}`: {error}", args.file.display()));
        }
    };
    let now = args.at.unwrap_or_else(UnixTime::now);
    let verify = match verify_text(args, &certificates, now) {
        Ok(text) => text,
        Err(error) => {
            return failed(&format!("the trusted CAs cannot be used: {error}"));
        }
    };
    let Some(certificate) = certificates.into_iter().next() else { return ExitCode::FAILURE };
    let variables = CertificateVariables::of(Arc::new(certificate));
    let moment = Moment { verify: &verify, sigalg: "", now };
    let assessment = args.profile.and_then(|kind| variables.assessment(kind));
    let assessment = assessment.as_deref();
    let print = if args.json { print_json } else { print_table };
    match print(&Shown { variables: &variables, moment: &moment, dialect: args.dialect }, assessment, out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("cannot write the answer: {error}")),
    }
}

/// The verdict: what nginx with `optional_no_ca` and no CA file says, or ours with the trusted CAs that were named. A
/// self-signed certificate among those is an anchor, any other an intermediate.
fn verify_text(args: &InspectArgs, certificates: &[Certificate], now: UnixTime) -> Result<String, CertificateError> {
    let Some((leaf, chain)) = certificates.split_first() else { return Ok(String::new()) };
    if args.trusted_ca.is_empty() {
        return Ok(optional_no_ca_text(leaf, chain, now));
    }
    let mut material = TrustMaterial::default();
    for path in &args.trusted_ca {
        for ca in read(path)? {
            let anchor = ca.subject().der() == ca.issuer().der();
            let list = if anchor { &mut material.anchors } else { &mut material.intermediates };
            list.push(Source { origin: path.display().to_string(), der: ca.der().to_vec() });
        }
    }
    let trust = TrustedCas::build(&material, TrustOptions::default(), now)
        .map_err(|problems| CertificateError(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))?;
    Ok(verify(leaf, chain, &trust, &VerificationSettings::default(), now).text())
}

fn read(path: &Path) -> Result<Vec<Certificate>, CertificateError> {
    let content = std::fs::read(path).map_err(|error| CertificateError(error.to_string()))?;
    Certificate::from_pem_or_der(&content)
}

pub(super) fn instant(text: &str) -> Result<UnixTime, time::error::Parse> {
    OffsetDateTime::parse(text, &Rfc3339).map(|time| UnixTime(time.unix_timestamp()))
}

/// The profile's variables, by the name of its kind.
fn profile_texts(assessment: &Assessment) -> impl Iterator<Item = (&'static str, String)> {
    ProfileVariable::ALL
        .into_iter()
        .map(|(variable, name)| (name, variable.text(assessment.kind.word(), &assessment.profile).into_owned()))
}

/// What is shown, and how.
struct Shown<'s> {
    variables: &'s CertificateVariables,
    moment: &'s Moment<'s>,
    dialect: Dialect,
}

impl Shown<'_> {
    fn text(&self, variable: &CertificateVariable) -> String {
        self.variables.text_in(self.dialect, variable, self.moment).into_owned()
    }
}

fn print_json(shown: &Shown<'_>, assessment: Option<&Assessment>, out: &mut dyn Write) -> io::Result<()> {
    let mut object = serde_json::Map::new();
    for variable in CertificateVariable::all().chain(attributes(shown.variables)) {
        object.insert(variable.name().into_owned(), shown.text(&variable).into());
    }
    if let Some(assessment) = assessment {
        object.extend(profile_texts(assessment).map(|(name, text)| (name.to_owned(), text.into())));
        let violations: Vec<String> = assessment.violations.iter().map(ToString::to_string).collect();
        object.insert("violations".into(), violations.into());
    }
    serde_json::to_writer_pretty(&mut *out, &object)?;
    writeln!(out)
}

/// Name and text in two columns. The PEM texts are left to `--json`: they would hide the rest.
fn print_table(what: &Shown<'_>, assessment: Option<&Assessment>, out: &mut dyn Write) -> io::Result<()> {
    let pem = [Scalar::EscapedCert, Scalar::Cert, Scalar::RawCert].map(CertificateVariable::Scalar);
    let shown: Vec<_> =
        CertificateVariable::all().chain(attributes(what.variables)).filter(|variable| !pem.contains(variable)).collect();
    let of_profile = ProfileVariable::ALL.iter().filter(|_| assessment.is_some()).map(|(_, name)| name.len());
    let width = shown.iter().map(|variable| variable.name().len()).chain(of_profile).max().unwrap_or_default();
    for variable in shown {
        // A long serial number holds a line feed.
        let text = what.text(&variable).replace('\n', "\\n");
        writeln!(out, "{}", format!("{:width$}  {text}", variable.name()).trim_end())?;
    }
    if let Some(assessment) = assessment {
        for (name, text) in profile_texts(assessment) {
            writeln!(out, "{}", format!("{name:width$}  {}", text.escape_default()).trim_end())?;
        }
        for violation in &assessment.violations {
            writeln!(out, "violation: {violation}")?;
        }
    }
    for warning in what.variables.certificate().map(|certificate| warnings(certificate)).unwrap_or_default() {
        writeln!(out, "warning: {warning}")?;
    }
    Ok(())
}

fn warnings(certificate: &Certificate) -> Vec<String> {
    let opinion = certificate.second_opinion().err().map(|error| format!("a second parser refuses this certificate: {error}"));
    let names = certificate.subject_alt_names().err().map(|error| format!("the alternative names are malformed: {error}"));
    let dates = [("notBefore", certificate.not_before()), ("notAfter", certificate.not_after())];
    let dates = dates
        .into_iter()
        .filter(|(_, date)| !date.is_rfc5280())
        .map(|(field, _)| format!("{field} is not in the form of RFC 5280"));
    opinion.into_iter().chain(names).chain(dates).chain(unlike_a_clients(certificate)).collect()
}

/// What routes do not let pass unless they say so.
fn unlike_a_clients(certificate: &Certificate) -> Vec<String> {
    let mut unlike = Vec::new();
    let is_ca = lint::has_ca_flag(certificate.der()).unwrap_or_default();
    if !is_ca && certificate.extension(EXTENDED_KEY_USAGE) == Ok(None) {
        unlike.push("there is no extended key usage: routes let it pass with `allow_missing_eku`, or registered".to_owned());
    }
    let x509 = certificate.openssl();
    if x509.public_key().and_then(|key| x509.verify(&key)).unwrap_or_default() {
        let entry = format!("sha256:{}", hex::encode(certificate.sha256()));
        unlike.push(format!(
            "it is signed by its own key: routes let it pass registered, `self_signed_certificates = [\"{entry}\"]`"
        ));
    }
    unlike
}

/// The variables of the attributes that are there: under their OID, and under their short name if they have one.
fn attributes(variables: &CertificateVariables) -> Vec<CertificateVariable> {
    let Some(certificate) = variables.certificate() else { return Vec::new() };
    let named = |party: &str, name: &Name| -> Vec<CertificateVariable> {
        let oids = name.attributes().iter().map(|attribute| attribute.oid());
        let names = oids.flat_map(|oid| [object_names::short_name(oid).map(str::to_owned), Some(oid::dotted(oid))]).flatten();
        names.filter_map(|name| CertificateVariable::parse(&format!("{party}.{name}"))).collect()
    };
    let mut found = Vec::new();
    for variable in named("subject", certificate.subject()).into_iter().chain(named("issuer", certificate.issuer())) {
        if !found.contains(&variable) {
            found.push(variable);
        }
    }
    found
}
