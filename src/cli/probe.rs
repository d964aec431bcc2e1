//! `vestibule probe`: does the front door do what it must? Attacks it, and looks at what Vestibule saw.
//!
//! Vestibule shows it by tokens ([`crate::probe`]), so that nothing reaches an upstream. Exit codes: 0 when nothing failed, 1 when
//! something did, 64 for a wrong command line or configuration.

mod client;
mod connections;
mod headers;
mod identity;
mod mend;
mod prober;
mod report;
mod target;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::PossibleValuesParser;
use openssl::x509::X509;

use self::client::Tls;
use self::identity::{Identity, read_certificates};
use self::prober::{Baseline, Common, Prober};
use self::report::Report;
use self::target::{Target, resolve, split};
use super::{USAGE, failed, refused, say};
use crate::clock::UnixTime;
use crate::config::{self, Loaded};
use crate::front_door_config::Product;
use crate::probe::Probe;

/// The arguments of `probe`.
#[derive(Debug, Args)]
pub(super) struct ProbeArgs {
    /// The names to probe, like `https://api.example`. With several of one front door, sessions and names are crossed
    #[arg(required = true, value_name = "URL")]
    urls: Vec<String>,
    /// The configuration folder that Vestibule runs with, for names, headers and the probe's secret
    #[arg(long, value_name = "DIR", default_value = "edge-config")]
    config: PathBuf,
    /// The product in front, instead of the one that `format` is named after
    #[arg(long, value_parser = PossibleValuesParser::new(Product::ALL.map(|(_, word)| word)))]
    kind: Option<String>,
    /// A client certificate that is to be verified, PEM, with its chain. Without one the probe makes one that nobody knows
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_certificate: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE", requires = "client_certificate")]
    client_key: Option<PathBuf>,
    /// The CAs of the front door's own certificate, PEM, beside the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Connect here (`address:port`) instead of where the URLs' names lead
    #[arg(long, value_name = "ADDRESS")]
    connect: Option<String>,
    /// The front door's plain HTTP, like `http://api.example:8080`, instead of port 80 where the URL has port 443
    #[arg(long, value_name = "URL")]
    http_url: Option<String>,
    /// Vestibule's own address (`address:port`), which only the front door should reach
    #[arg(long, value_name = "ADDRESS")]
    direct: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ProbeArgs, out: &mut dyn Write) -> ExitCode {
    let loaded = match config::load(&args.config, UnixTime::now()) {
        Ok(loaded) => loaded,
        Err(problems) => return refused(&args.config, &problems),
    };
    let wanted = match Wanted::read(args, &loaded) {
        Ok(wanted) => wanted,
        Err(why) => {
            say(&why);
            return ExitCode::from(USAGE);
        }
    };
    let reports = match probe(&wanted) {
        Ok(reports) => reports,
        Err(why) => return failed(&why),
    };
    match report::print(&reports, args.json, out) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => failed(&why),
    }
}

/// What the command line and the configuration say.
struct Wanted<'l> {
    probe: &'l Probe,
    targets: Vec<Target>,
    product: Option<Product>,
    given: Option<Identity>,
    ca: Vec<X509>,
    http: Http,
    direct: Option<SocketAddr>,
}

/// Where plain HTTP is.
enum Http {
    /// At this address.
    At(SocketAddr),
    /// At port 80 of each target on port 443.
    Usual,
}

impl<'l> Wanted<'l> {
    fn read(args: &ProbeArgs, loaded: &'l Loaded) -> Result<Self, String> {
        let probe = loaded.process.probe.as_deref().ok_or_else(|| {
            "the configuration has no [probe]: set secret_file there to a file with what \
             `vestibule keygen --signature-key` prints, and restart Vestibule"
                .to_owned()
        })?;
        let targets = args.urls.iter().map(|url| Target::parse(url, args.connect.as_deref(), loaded));
        let given = match (&args.client_certificate, &args.client_key) {
            (Some(certificate), Some(key)) => Some(Identity::read(certificate, key)?),
            _ => None,
        };
        let http = match &args.http_url {
            None => Http::Usual,
            Some(url) => {
                let (host, port) = split(url, "http", 80)?;
                // The name may lead elsewhere than --connect does.
                let connect = args.connect.as_deref().map(resolve).transpose()?;
                Http::At(match connect {
                    Some(place) => SocketAddr::new(place.ip(), port),
                    None => resolve(&format!("{host}:{port}"))?,
                })
            }
        };
        Ok(Self {
            probe,
            targets: targets.collect::<Result<_, _>>()?,
            product: args.kind.as_deref().and_then(Product::of_word),
            given,
            ca: args.ca.as_deref().map(read_certificates).transpose()?.unwrap_or_default(),
            http,
            direct: args.direct.as_deref().map(resolve).transpose()?,
        })
    }
}

fn probe(wanted: &Wanted<'_>) -> io::Result<Vec<Report>> {
    let now = UnixTime::now();
    let victim = Identity::self_made("vestibule-probe-victim", now, 0)?;
    let made = Identity::self_made("vestibule-probe", now, 0)?;
    let person = wanted.given.as_ref().unwrap_or(&made);
    let (anonymous, known) = (Tls::new(&wanted.ca, None, None)?, Tls::new(&wanted.ca, Some(person), None)?);
    let common = Common { probe: wanted.probe, ca: &wanted.ca, person, victim: &victim, anonymous, known };
    let mut reports = Vec::new();
    let mut baselines = Vec::new();
    for target in &wanted.targets {
        let product = wanted.product.unwrap_or_else(|| Product::of_format(&target.domain.front_door().format));
        let prober = Prober { common: &common, target, product };
        let mut report = Report::new(&target.host, product);
        baselines.push(prober.baseline(&mut report)?);
        reports.push((prober, report));
    }
    for (at, (prober, report)) in reports.iter_mut().enumerate() {
        let others: Vec<(&Target, &Baseline)> = wanted
            .targets
            .iter()
            .zip(&baselines)
            .enumerate()
            .filter(|(other, _)| *other != at)
            .filter_map(|(_, (target, base))| Some((target, base.as_ref()?)))
            .collect();
        match baselines.get(at).and_then(Option::as_ref) {
            Some(base) => attack(prober, base, &others, wanted, report)?,
            None => report.not_tried("everything else", "Vestibule must show what it saw"),
        }
        elsewhere(prober, wanted, report)?;
    }
    Ok(reports.into_iter().map(|(_, report)| report).collect())
}

fn attack(
    prober: &Prober<'_>,
    base: &Baseline,
    others: &[(&Target, &Baseline)],
    wanted: &Wanted<'_>,
    report: &mut Report,
) -> io::Result<()> {
    prober.verdicts(base, wanted.given.is_some(), report)?;
    prober.forge(base, report)?;
    prober.nominate(base, report)?;
    prober.fold(base, report)?;
    prober.trail(base, report)?;
    prober.two_hosts(report)?;
    prober.oversize(base, report)?;
    prober.other_hosts(base, others, report)?;
    prober.resume(base, others, report)
}

/// Ways past the front door's TLS: they need no baseline.
fn elsewhere(prober: &Prober<'_>, wanted: &Wanted<'_>, report: &mut Report) -> io::Result<()> {
    let usual = SocketAddr::new(prober.target.address.ip(), 80);
    match wanted.http {
        Http::At(at) => prober.plain_http(at, report)?,
        Http::Usual if prober.target.port == 443 => prober.plain_http(usual, report)?,
        Http::Usual => report.not_tried("plain HTTP", "give its address with --http-url"),
    }
    match wanted.direct {
        Some(at) => prober.direct(at, report)?,
        None => report.not_tried("Vestibule past the front door", "give its address with --direct"),
    }
    Ok(())
}
