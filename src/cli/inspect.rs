//! `vestibule inspect FILE`: every variable of a certificate, computed from the certificate alone.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use openssl::error::ErrorStack;
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyParam;
use openssl::x509::{X509PurposeId, X509StoreContext};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::clock::UnixTime;
use crate::variables::{CertificateVariable, CertificateVariables, Moment, Scalar};
use crate::x509::certificate::{Certificate, CertificateError};
use crate::x509::name::Name;
use crate::x509::{object_names, oid};

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
}

/// Runs the command. `verify_text` says what `ssl_client_verify` is for these certificates, the client's first, at a time.
pub fn run(args: &InspectArgs, verify_text: impl Fn(&[Certificate], UnixTime) -> String, out: &mut dyn Write) -> ExitCode {
    let certificates = match read(args) {
        Ok(certificates) => certificates,
        Err(error) => {
            eprintln!("vestibule: cannot read a certificate from `{}`: {error}", args.file.display());
            return ExitCode::FAILURE;
        }
    };
    let now = args.at.unwrap_or_else(UnixTime::now);
    let verify = verify_text(&certificates, now);
    let Some(certificate) = certificates.into_iter().next() else { return ExitCode::FAILURE };
    let variables = CertificateVariables::of(Arc::new(certificate));
    let moment = Moment { verify: &verify, sigalg: "", now };
    match if args.json { print_json(&variables, &moment, out) } else { print_table(&variables, &moment, out) } {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vestibule: cannot write the answer: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A verdict against no CA at all, by OpenSSL's first error.
pub fn plain_verify_text(certificates: &[Certificate], now: UnixTime) -> String {
    match first_error(certificates, now) {
        Ok(None) => "SUCCESS".into(),
        Ok(Some(reason)) => format!("FAILED:{reason}"),
        Err(error) => format!("FAILED:{error}"),
    }
}

fn first_error(certificates: &[Certificate], now: UnixTime) -> Result<Option<&'static str>, ErrorStack> {
    let Some((leaf, others)) = certificates.split_first() else { return Ok(None) };
    let mut param = X509VerifyParam::new()?;
    param.set_time(now.0);
    param.set_purpose(X509PurposeId::SSL_CLIENT)?;
    let mut store = X509StoreBuilder::new()?;
    store.set_param(&param)?;
    let mut untrusted = Stack::new()?;
    for other in others {
        untrusted.push(other.openssl().to_owned())?;
    }
    X509StoreContext::new()?.init(&store.build(), leaf.openssl(), &untrusted, |context| {
        Ok(if context.verify_cert()? { None } else { Some(context.error().error_string()) })
    })
}

fn read(args: &InspectArgs) -> Result<Vec<Certificate>, CertificateError> {
    let content = std::fs::read(&args.file).map_err(|error| CertificateError(error.to_string()))?;
    Certificate::from_pem_or_der(&content)
}

fn instant(text: &str) -> Result<UnixTime, time::error::Parse> {
    OffsetDateTime::parse(text, &Rfc3339).map(|time| UnixTime(time.unix_timestamp()))
}

fn print_json(variables: &CertificateVariables, moment: &Moment<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut object = serde_json::Map::new();
    for variable in CertificateVariable::all().chain(attributes(variables)) {
        object.insert(variable.name().into_owned(), variables.text(&variable, moment).into_owned().into());
    }
    serde_json::to_writer_pretty(&mut *out, &object)?;
    writeln!(out)
}

/// Name and text in two columns. The PEM texts are left to `--json`: they would hide the rest.
fn print_table(variables: &CertificateVariables, moment: &Moment<'_>, out: &mut dyn Write) -> io::Result<()> {
    let pem = [Scalar::EscapedCert, Scalar::Cert, Scalar::RawCert].map(CertificateVariable::Scalar);
    let shown: Vec<_> =
        CertificateVariable::all().chain(attributes(variables)).filter(|variable| !pem.contains(variable)).collect();
    let width = shown.iter().map(|variable| variable.name().len()).max().unwrap_or_default();
    for variable in shown {
        // A long serial number holds a line feed.
        let text = variables.text(&variable, moment).replace('\n', "\\n");
        writeln!(out, "{}", format!("{:width$}  {text}", variable.name()).trim_end())?;
    }
    for warning in variables.certificate().map(|certificate| warnings(certificate)).unwrap_or_default() {
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
    opinion.into_iter().chain(names).chain(dates).collect()
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
