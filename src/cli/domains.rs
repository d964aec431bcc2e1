//! `vestibule domains`: custom domains for people without an SDK, over the management API of a running process.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{done, failed};

/// The variable that holds the token when no file does.
const TOKEN: &str = "VESTIBULE_ADMIN_TOKEN";
/// The longest for one answer: a verification waits for name servers.
const PATIENCE: Duration = Duration::from_secs(60);

/// The arguments of `domains`.
#[derive(Debug, Args)]
pub(super) struct DomainsArgs {
    /// The admin listener of the process
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9180", global = true)]
    url: String,
    /// A file with a token; without it the variable VESTIBULE_ADMIN_TOKEN holds one
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
    /// A PEM file with the CA of an admin listener that speaks TLS, beside those of the system
    #[arg(long, value_name = "FILE", global = true)]
    ca_file: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// A line for each domain: id, status, name
    List,
    /// One domain, by its name or id
    Show { domain: String },
    /// Create a domain and print the record of DNS that proves it
    Create { domain: String },
    /// Look for the record; the first time that it is found, print the key
    Verify { domain: String },
    /// Whether the domain's name has an address
    Test { domain: String },
    /// The keys of a domain and their use
    Keys { domain: String },
    /// Print another key; the one before it is taken for a while
    Rotate {
        domain: String,
        /// For how many seconds; 0 ends it at once
        #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
        overlap: u32,
        /// Of which further front door; left out, of the first one
        #[arg(long, value_name = "NAME")]
        front_door: Option<String>,
    },
    /// Print the first key of a further front door of a domain
    AddKey {
        domain: String,
        /// The name of the front door
        front_door: String,
    },
    /// End a key at once
    Revoke { domain: String, key: String },
    /// Delete a domain and its keys
    Delete { domain: String },
    /// The log of changes, as JSON lines
    Audit,
}

pub(super) fn run(args: &DomainsArgs, out: &mut dyn Write) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => return failed(&why),
    };
    match runtime.block_on(answer(args)) {
        Ok(text) => done(out.write_all(text.as_bytes())),
        Err(why) => failed(&why),
    }
}

async fn answer(args: &DomainsArgs) -> Result<String, String> {
    let api = Api::new(args)?;
    let shown = |value: Value| serde_json::to_string_pretty(&value).map(|text| text + "\n").map_err(|why| why.to_string());
    match &args.action {
        Action::List => api.list().await,
        Action::Audit => api.audit().await,
        Action::Show { domain } => shown(api.about(Method::GET, domain, "", None).await?),
        Action::Create { domain } => {
            let body = json!({ "domain": domain, "type": "self_managed_certs" });
            shown(api.ask(Method::POST, "custom-domains", Some(body)).await?)
        }
        Action::Verify { domain } => shown(api.about(Method::POST, domain, "/verify", None).await?),
        Action::Test { domain } => shown(api.about(Method::POST, domain, "/test", None).await?),
        Action::Keys { domain } => shown(api.about(Method::GET, domain, "/keys", None).await?),
        Action::AddKey { domain, front_door } => {
            let body = json!({ "front_door": front_door });
            shown(api.about(Method::POST, domain, "/keys", Some(body)).await?)
        }
        Action::Rotate { domain, overlap, front_door } => {
            let body = match front_door {
                Some(name) => json!({ "overlap_seconds": overlap, "front_door": name }),
                None => json!({ "overlap_seconds": overlap }),
            };
            shown(api.about(Method::POST, domain, "/rotate-key", Some(body)).await?)
        }
        Action::Revoke { domain, key } => {
            let words = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if !key.bytes().all(words) {
                return Err(format!("`{key}` is no id of a key"));
            }
            api.about(Method::DELETE, domain, &format!("/keys/{key}"), None).await.map(|_| String::new())
        }
        Action::Delete { domain } => api.about(Method::DELETE, domain, "", None).await.map(|_| String::new()),
    }
}

/// The management API of a process.
struct Api {
    client: Client,
    url: String,
    token: Zeroizing<String>,
}

impl Api {
    fn new(args: &DomainsArgs) -> Result<Self, String> {
        let token = match &args.token_file {
            Some(file) => std::fs::read_to_string(file).map_err(|why| format!("`{}` cannot be read: {why}", file.display()))?,
            None => std::env::var(TOKEN).map_err(|_| format!("no token: --token-file, or the variable {TOKEN}"))?,
        };
        // The environment's proxies have no business with a token.
        let mut builder = Client::builder().no_proxy().timeout(PATIENCE);
        if let Some(file) = &args.ca_file {
            let pem = std::fs::read(file).map_err(|why| format!("`{}` cannot be read: {why}", file.display()))?;
            let cas =
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|why| format!("`{}` is no CA: {why}", file.display()))?;
            builder = cas.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate);
        }
        let client = builder.build().map_err(|why| why.to_string())?;
        let url = format!("{}/api/v2/", args.url.trim_end_matches('/'));
        Ok(Self { client, url, token: Zeroizing::new(token.trim().to_owned()) })
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
        let mut request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(self.token.as_str());
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.map_err(|why| {
            format!(
                "{} does not answer: {}; `--url` says where the admin listener is, `--ca-file` which CA it has",
                self.url,
                root(&why)
            )
        })?;
        let (status, text) = (answer.status(), answer.text().await.map_err(|why| root(&why))?);
        if status == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        let json: Value = serde_json::from_str(&text).map_err(|_| format!("{status}: the answer is no JSON"))?;
        if status.is_success() {
            return Ok(json);
        }
        Err(format!("{}: {}", status.as_u16(), json.get("message").and_then(Value::as_str).unwrap_or_default()))
    }

    /// A request about one domain, by its name or its id.
    async fn about(&self, method: Method, domain: &str, rest: &str, body: Option<Value>) -> Result<Value, String> {
        let id = match domain.strip_prefix("cd_") {
            Some(id) if id.bytes().all(|byte| byte.is_ascii_alphanumeric()) => domain.to_owned(),
            _ => self.id_of(domain).await?,
        };
        self.ask(method, &format!("custom-domains/{id}{rest}"), body).await
    }

    async fn id_of(&self, name: &str) -> Result<String, String> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        if !name.bytes().all(known) {
            return Err(format!("`{name}` is no host name and no id"));
        }
        let found = self.ask(Method::GET, &format!("custom-domains?q=domain:{name}"), None).await?;
        let id = found.get(0).and_then(|domain| domain.get("custom_domain_id")).and_then(Value::as_str);
        id.map(str::to_owned).ok_or_else(|| format!("there is no custom domain `{name}`"))
    }

    async fn list(&self) -> Result<String, String> {
        let (mut text, mut from) = (String::new(), String::new());
        loop {
            let page = self.ask(Method::GET, &format!("custom-domains?take=100{from}"), None).await?;
            for domain in page.get("custom_domains").and_then(Value::as_array).into_iter().flatten() {
                let of = |key: &str| domain.get(key).and_then(Value::as_str).unwrap_or_default();
                text.push_str(&format!("{}\t{}\t{}\n", of("custom_domain_id"), of("status"), of("domain")));
            }
            match page.get("next").and_then(Value::as_str) {
                Some(next) => from = format!("&from={next}"),
                None => return Ok(text),
            }
        }
    }

    async fn audit(&self) -> Result<String, String> {
        let (mut text, mut from) = (String::new(), 0);
        loop {
            let page = self.ask(Method::GET, &format!("audit-log?take=1000&from={from}"), None).await?;
            let lines = page.as_array().map(Vec::as_slice).unwrap_or_default();
            for line in lines {
                text.push_str(&format!("{line}\n"));
                from = line.get("revision").and_then(Value::as_i64).unwrap_or(from);
            }
            if lines.is_empty() {
                return Ok(text);
            }
        }
    }
}

/// The innermost cause: the outer ones say that sending failed.
fn root(why: &dyn std::error::Error) -> String {
    let mut why = why;
    while let Some(inner) = why.source() {
        why = inner;
    }
    why.to_string()
}
