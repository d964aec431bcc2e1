//! `vestibule front-door`: the configuration of the product in front, written from ours.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::{USAGE, done, failed, refused, say};
use crate::clock::UnixTime;
use crate::config::{self, Listen};
use crate::front_door_config::{self, Ask, File, ListenAt, Options, Plan, Product};

/// The arguments of `front-door`.
#[derive(Debug, Args)]
pub(super) struct FrontDoorArgs {
    /// The front door's name in `[[front_doors]]`
    name: String,
    /// The configuration folder
    #[arg(long, value_name = "DIR", default_value = "edge-config")]
    config: PathBuf,
    /// The tenant, when several have a front door of this name
    #[arg(long)]
    tenant: Option<String>,
    /// The product, instead of the one that `format` is named after
    #[arg(long, value_parser = PossibleValuesParser::new(Product::ALL.map(|(_, word)| word)))]
    kind: Option<String>,
    /// Write the files into this folder instead of printing them
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The folder where the files will stand on the product's machine; other file names start there
    #[arg(long, value_name = "DIR", default_value = "/etc/vestibule")]
    folder: PathBuf,
    /// The server certificate with its chain; `{domain}` stands for the domain's name
    #[arg(long, value_name = "FILE", default_value = "{domain}.pem")]
    certificate: String,
    /// Its key. HAProxy reads it from the certificate's file
    #[arg(long, value_name = "FILE", default_value = "{domain}.key")]
    key: String,
    /// The CAs of the clients, for products that ask for no certificate without: HAProxy, Envoy
    #[arg(long, value_name = "FILE", default_value = "clients-ca.pem")]
    client_ca: String,
    /// The file with the front door's key; the output says what to write into it. Traefik has a place of its own
    #[arg(long, value_name = "FILE", default_value = "vestibule-key")]
    secrets: String,
    /// Where to listen for TLS: a port, or `address:port`
    #[arg(long, value_name = "PORT", default_value = "443")]
    listen: ListenAt,
    /// Where to listen for plain HTTP, which is redirected
    #[arg(long, value_name = "PORT", default_value = "80")]
    listen_http: ListenAt,
    /// Where nginx listens as a proxy that asks Vestibule (`auth_request`)
    #[arg(long, value_name = "PORT", default_value = "8443")]
    listen_asking: ListenAt,
    /// The application behind that proxy
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    application: SocketAddr,
    /// Where the front door reaches Vestibule, instead of the first of `server.listen`
    #[arg(long, value_name = "ADDRESS", value_parser = Listen::parse)]
    vestibule_address: Option<Listen>,
    /// Which names ask clients for a certificate
    #[arg(long, value_enum, default_value = "needed")]
    ask: AskOn,
    /// The user that the product becomes once its ports are open, instead of its own
    #[arg(long, value_name = "USER")]
    run_as: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum AskOn {
    /// All names of a domain with a route that looks at certificates
    Needed,
    /// The `mtls.` aliases alone, so that browsers are not asked on the domain's own name
    Aliases,
}

pub(super) fn run(args: &FrontDoorArgs, out: &mut dyn Write) -> ExitCode {
    let loaded = match config::load(&args.config, UnixTime::now()) {
        Ok(loaded) => loaded,
        Err(problems) => return refused(&args.config, &problems),
    };
    let wanted = args.kind.as_deref().and_then(Product::of_word);
    let plan = Plan::of(&args.name, &loaded, &options(args));
    match plan.and_then(|plan| front_door_config::files(&plan, wanted.unwrap_or_else(|| plan.own_product()))) {
        Err(why) => {
            say(&why);
            ExitCode::from(USAGE)
        }
        Ok(files) => match &args.out {
            Some(folder) => match write(folder, &files) {
                Ok(()) => ExitCode::SUCCESS,
                Err(why) => failed(&why),
            },
            None => done(files.iter().try_for_each(|file| print(file, files.len(), out))),
        },
    }
}

fn options(args: &FrontDoorArgs) -> Options {
    Options {
        tenant: args.tenant.clone(),
        folder: args.folder.clone(),
        certificate: args.certificate.clone(),
        key: args.key.clone(),
        client_ca: args.client_ca.clone(),
        secrets: args.secrets.clone(),
        listen: args.listen,
        listen_http: args.listen_http,
        listen_asking: args.listen_asking,
        application: args.application,
        vestibule: args.vestibule_address.clone(),
        ask: match args.ask {
            AskOn::Needed => Ask::Needed,
            AskOn::Aliases => Ask::Aliases,
        },
        user: args.run_as.clone(),
    }
}

/// One file alone is printed as it is; several with their names between them.
fn print(file: &File, count: usize, out: &mut dyn Write) -> std::io::Result<()> {
    if count > 1 {
        writeln!(out, "# ==> {} <==", file.name)?;
    }
    write!(out, "{}", file.text)?;
    if count > 1 { writeln!(out) } else { Ok(()) }
}

fn write(folder: &Path, files: &[File]) -> Result<(), String> {
    for file in files {
        let path = folder.join(file.name);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(|why| format!("`{}` cannot be made: {why}", parent.display()))?;
        std::fs::write(&path, &file.text).map_err(|why| format!("`{}` cannot be written: {why}", path.display()))?;
    }
    Ok(())
}
