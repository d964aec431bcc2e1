//! `vestibule demo`: the whole road on this machine, with nothing beside this program.
//!
//! A throw-away PKI in a temporary folder, an upstream that says what it received, this program serving as its own TLS front
//! door, and real TLS clients with good and bad certificates. Each ending is compared with the one that it must have.

mod client;
mod pki;
mod rows;
mod site;
mod upstream;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use self::pki::Pki;
use self::rows::{ATTACKS, CERTIFICATES, Row};
use self::site::Site;
use super::failed;
use crate::clock::UnixTime;

/// The arguments of `demo`.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Leave it running after the table, with commands to try, until Ctrl-C
    #[arg(long)]
    keep: bool,
}

/// The domain that everybody asks for.
const DOMAIN: &str = "api.bank.example";
/// Its alias: a host of the same tenant, and another one for TLS.
const OTHER_HOST: &str = "mtls.api.bank.example";

pub(super) fn run(args: &DemoArgs, out: &mut dyn Write) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => return failed(&why),
    };
    match runtime.block_on(demonstrate(args.keep, out)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => failed(&"requests did not end as expected"),
        Err(why) => failed(&why),
    }
}

/// True when everything ended as it must.
async fn demonstrate(keep: bool, out: &mut dyn Write) -> io::Result<bool> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let pki = Arc::new(Pki::make(&[DOMAIN.to_owned(), OTHER_HOST.to_owned()], UnixTime::now())?);
    // Gone with the end of this function, whichever end it is.
    let site = Arc::new(Site::open(&pki, upstream::start()?)?);
    writeln!(out, "Clients with certificates → Vestibule (TLS, on {}) → an upstream\n", site.address())?;
    heading(out)?;
    let mut surprises = 0_usize;
    for at in 0..CERTIFICATES.len() + ATTACKS.len() {
        let (site, pki) = (Arc::clone(&site), Arc::clone(&pki));
        let asked = tokio::task::spawn_blocking(move || row(&site, &pki, at));
        let row = tokio::select! {
            row = asked => row.map_err(io::Error::other)?,
            _ = interrupt.recv() => return Err(io::ErrorKind::Interrupted.into()),
            _ = terminate.recv() => return Err(io::ErrorKind::Interrupted.into()),
        };
        let Some((row, expected)) = row else { continue };
        if at == CERTIFICATES.len() {
            writeln!(out, "\nAttacks\n")?;
            heading(out)?;
        }
        surprises += usize::from(!row.as_expected);
        print(out, &row, &expected)?;
    }
    writeln!(out, "\nThe client gets a status, a fixed sentence and a request id; code and cause are in the access log only.")?;
    if surprises > 0 {
        writeln!(out, "\n{surprises} requests did not end as expected. The server said:\n{}", site.diagnostics())?;
    }
    if keep {
        commands(out, &site, &pki)?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
    site.close();
    Ok(surprises == 0)
}

/// The row at a place, and what it must say.
fn row(site: &Site, pki: &Pki, at: usize) -> Option<(Row, String)> {
    if let Some((client, path, ending)) = CERTIFICATES.get(at) {
        return Some((rows::certificate(site, pki, client, path, *ending), ending.text().to_owned()));
    }
    let (name, attack, ending) = ATTACKS.get(at.checked_sub(CERTIFICATES.len())?)?;
    Some((rows::attack(site, pki, name, *attack, *ending), ending.text().to_owned()))
}

fn heading(out: &mut dyn Write) -> io::Result<()> {
    let names = ["client", "path", "status", "decided", "upstream saw", "why"];
    line(out, names.map(str::to_owned))
}

fn print(out: &mut dyn Write, row: &Row, expected: &str) -> io::Result<()> {
    let mark = if row.as_expected { String::new() } else { format!(" ← expected: {expected}") };
    let why = format!("{}{mark}", row.why);
    line(out, [row.client.clone(), row.path.clone(), row.status.clone(), row.decided.clone(), row.saw.clone(), why])
}

fn line(out: &mut dyn Write, [client, path, status, decided, saw, why]: [String; 6]) -> io::Result<()> {
    writeln!(out, "{client:<16} {path:<13} {status:<6} {decided:<25} {saw:<50} {why}")?;
    out.flush()
}

fn commands(out: &mut dyn Write, site: &Site, pki: &Pki) -> io::Result<()> {
    let (port, folder) = (site.address().port(), site.path(""));
    let folder = folder.display().to_string();
    let folder = folder.trim_end_matches('/');
    let clients: Vec<&str> = pki.clients.keys().copied().collect();
    writeln!(
        out,
        "
Running until Ctrl-C. In another terminal (clients: {}):

  curl --cacert {folder}/server-ca.pem --resolve {DOMAIN}:{port}:127.0.0.1 \\
    --cert {folder}/client/good.pem --key {folder}/client/good.key https://{DOMAIN}:{port}/

  curl --cacert {folder}/server-ca.pem --resolve {DOMAIN}:{port}:127.0.0.1 \\
    --cert {folder}/client/expired.pem --key {folder}/client/expired.key https://{DOMAIN}:{port}/grace/

  curl -i --cacert {folder}/server-ca.pem --resolve {DOMAIN}:{port}:127.0.0.1 https://{DOMAIN}:{port}/

  tail -f {folder}/access.log

The configuration is {folder}/vestibule.toml and {folder}/tenants/bank.toml; a change is taken at once.",
        clients.join(", ")
    )
}
