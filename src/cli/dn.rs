//! `vestibule dn FILE`: a certificate's names in every spelling that providers and tools use.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{done, failed};
use crate::x509::certificate::{Certificate, CertificateError};
use crate::x509::name::Name;
use crate::x509::name_form::NameForm;

/// The arguments of `dn`.
#[derive(Debug, Args)]
pub(super) struct DnArgs {
    /// A PEM file, of which the first certificate counts, or a DER certificate; `-` is standard input
    file: PathBuf,
    /// Print one JSON object: `subject` and `issuer`, each with every form
    #[arg(long)]
    json: bool,
}

/// The largest input that is read.
const LARGEST: u64 = 1 << 20;

pub(super) fn run(args: &DnArgs, out: &mut dyn Write) -> ExitCode {
    let certificate = match read(&args.file) {
        Ok(certificate) => certificate,
        Err(why) => return failed(&format!("cannot read a certificate from `{}`: {why}", args.file.display())),
    };
    let names = [("subject", certificate.subject()), ("issuer", certificate.issuer())];
    done(if args.json { print_json(names, out) } else { print_table(names, out) })
}

fn read(path: &Path) -> Result<Certificate, CertificateError> {
    let unreadable = |why: io::Error| CertificateError(why.to_string());
    let mut content = Vec::new();
    if path.as_os_str() == "-" {
        io::stdin().lock().take(LARGEST).read_to_end(&mut content).map_err(unreadable)?;
    } else {
        std::fs::File::open(path).map_err(unreadable)?.take(LARGEST).read_to_end(&mut content).map_err(unreadable)?;
    }
    let certificates = Certificate::from_pem_or_der(&content)?;
    certificates.into_iter().next().ok_or_else(|| CertificateError("there is none".to_owned()))
}

fn print_json(names: [(&str, &Name); 2], out: &mut dyn Write) -> io::Result<()> {
    let object: serde_json::Map<String, serde_json::Value> =
        names.into_iter().map(|(party, name)| (party.to_owned(), crate::answer::name_forms(name))).collect();
    serde_json::to_writer_pretty(&mut *out, &object)?;
    writeln!(out)
}

/// One form a line. Of Auth0's lines the ends are written `\n`, and what a terminal would obey is escaped too.
fn print_table(names: [(&str, &Name); 2], out: &mut dyn Write) -> io::Result<()> {
    let width = NameForm::ALL.iter().map(|(_, word)| word.len()).max().unwrap_or_default();
    for (party, name) in names {
        writeln!(out, "{party}")?;
        for (form, word) in NameForm::ALL {
            let mut line = format!("  {word:width$}  ");
            for one in form.text(name).chars() {
                if one.is_control() { line.extend(one.escape_default()) } else { line.push(one) }
            }
            writeln!(out, "{}", line.trim_end())?;
        }
    }
    Ok(())
}
