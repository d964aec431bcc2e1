//! A program that terminates TLS itself, and the clients that talk to it.

use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};

use openssl::ssl::{ConnectConfiguration, SslConnector, SslConnectorBuilder, SslMethod, SslStream, SslVersion};
use tempfile::TempDir;

use crate::bank::{self, Person, authorities, leaf, pem, person};
use crate::http_client::{Answer, Client, connected};
use crate::pki::Leaf;
use crate::recording_upstream::RecordingUpstream;
use crate::vestibule_program::{Files, Vestibule};

/// Asked for a certificate under every name.
pub(crate) const ASKED: &str = "api.bank.example";
/// Its alias.
pub(crate) const ALIAS: &str = "mtls.api.bank.example";
/// Never asked.
pub(crate) const QUIET: &str = "open.bank.example";
/// Asked under its alias alone.
pub(crate) const BY_ALIAS: &str = "web.bank.example";
/// The same, of another tenant with another CA.
pub(crate) const OTHERS: &str = "api.other.example";
/// A name of the certificate that is no domain.
pub(crate) const NO_DOMAIN: &str = "spare.bank.example";

/// The server's certificate names; the second certificate is for the other tenant, by a wildcard.
const NAMES: [&str; 7] = [ASKED, ALIAS, QUIET, "mtls.open.bank.example", BY_ALIAS, "mtls.web.bank.example", NO_DOMAIN];

pub(crate) const PROCESS: &str = r#"
[server]
workers = 2
shutdown_timeout = "20s"
[server.tls]
listen = ["127.0.0.1:{port}"]
handshake_timeout = "2s"
certificates = [
  { certificate = "tls/server.pem", key = "tls/server.key" },
  { certificate = "tls/other.pem", key = "tls/other.key" },
]
[admin]
listen = "127.0.0.1:{admin}"
[secrets]
pepper_file = "secrets/pepper"
"#;

pub(crate) fn tenant(upstream: &str) -> String {
    format!(
        r#"
enable_mtls_endpoint_aliases = true
[authorize]
path = "/-/authorize"
[[domains]]
name = "{ASKED}"
front_door = "asks"
[[domains]]
name = "{QUIET}"
front_door = "quiet"
[[domains]]
name = "{BY_ALIAS}"
front_door = "by-alias"
[[front_doors]]
name = "asks"
format = "tls"
[[front_doors]]
name = "quiet"
format = "tls"
request_client_certificate = "never"
[[front_doors]]
name = "by-alias"
format = "tls"
request_client_certificate = "mtls_alias"
send_ca_dn = false
[trusted_ca.clients]
certificates = ["trusted-ca/root.pem"]
intermediates = ["trusted-ca/issuing.pem"]
crl = ["crl/clients.pem"]
[policy]
trusted_ca = "clients"
[upstreams.core]
url = "{upstream}"
[[routes]]
path = "/"
upstream = "core"
[[routes]]
path = "/public/"
upstream = "core"
policy = {{ allow_unauthenticated_requests = true }}
[[routes]]
path = "/grace/"
upstream = "core"
policy = {{ allow_expired_certificates = true }}
[[routes]]
path = "/permissive/"
upstream = "core"
policy = {{ verification = "permissive" }}
"#
    )
}

fn other_tenant(upstream: &str) -> String {
    format!(
        r#"
[[domains]]
name = "{OTHERS}"
[[front_doors]]
name = "asks"
format = "tls"
[trusted_ca.strangers]
certificates = ["trusted-ca/stranger.pem"]
[policy]
trusted_ca = "strangers"
[upstreams.core]
url = "{upstream}"
[[routes]]
path = "/"
upstream = "core"
"#
    )
}

/// Certificate and key of a server, of the root of these tests.
pub(crate) fn server(names: &[&str]) -> Person {
    person(&Leaf { client_auth: false, dns: names.iter().map(|name| (*name).to_owned()).collect(), ..leaf("server") })
}

pub(crate) fn key_pem(person: &Person) -> String {
    String::from_utf8(person.key.private_key_to_pem_pkcs8().unwrap()).unwrap()
}

/// The certificate with its intermediate, as servers send it.
pub(crate) fn chain_pem(person: &Person) -> String {
    pem(&person.certificate) + &pem(&authorities().issuing.certificate)
}

pub(crate) fn pair(path: &str, person: &Person) -> [(String, String); 2] {
    [(format!("{path}.pem"), chain_pem(person)), (format!("{path}.key"), key_pem(person))]
}

/// A whole folder.
pub(crate) fn files(process: &str, tenant: String, upstream: &str) -> Files {
    let mut files = bank::files(&[]);
    files.retain(|(path, _)| path != "vestibule.toml");
    files.push(("vestibule.toml".into(), process.into()));
    files.push(("tenants/bank.toml".into(), tenant));
    files.push(("tenants/other.toml".into(), other_tenant(upstream)));
    files.push(("trusted-ca/stranger.pem".into(), pem(&authorities().stranger.certificate)));
    files.extend(pair("tls/server", &server(&NAMES)));
    files.extend(pair("tls/other", &server(&["*.other.example"])));
    files
}

/// The program and its upstream.
pub(crate) struct House {
    pub(crate) vestibule: Vestibule,
    pub(crate) upstream: RecordingUpstream,
}

impl House {
    pub(crate) fn open() -> Self {
        let upstream = RecordingUpstream::start();
        Self { vestibule: Vestibule::start(&files(PROCESS, tenant(&upstream.url()), &upstream.url())), upstream }
    }

    pub(crate) fn port(&self) -> u16 {
        self.vestibule.port()
    }

    /// One GET under one name, on a connection of its own.
    pub(crate) fn get(&self, host: &str, path: &str, client: Option<&Person>) -> Answer {
        self.connect(host, client).ask(get(host, path))
    }

    /// A TLS connection; the server's certificate is checked.
    pub(crate) fn connect(&self, name: &str, client: Option<&Person>) -> Client {
        Client::tls(handshake(self.port(), Some(name), client, |_| {}).unwrap())
    }

    /// A handshake that must not come about; what OpenSSL says.
    pub(crate) fn no_handshake(&self, name: Option<&str>) -> String {
        match handshake(self.port(), name, None, |_| {}) {
            Ok(_) => panic!("a handshake for {name:?}"),
            Err(why) => why,
        }
    }

    /// Its refusal code.
    pub(crate) fn code(&self, answer: &Answer) -> String {
        self.vestibule.code(answer)
    }

    /// Refused: status and code, nothing at the upstream, and the cause in the log alone.
    #[track_caller]
    pub(crate) fn assert_refused(&self, answer: &Answer, status: u16, code: &str) {
        assert_eq!((answer.status, self.code(answer).as_str()), (status, code), "{}", answer.text());
        assert_eq!(self.upstream.take().len(), 0, "{code}");
        bank::assert_says_nothing(answer, &self.vestibule.access_line(answer));
    }

    /// A good client still passes.
    #[track_caller]
    pub(crate) fn assert_still_serves(&self) {
        let answer = self.get(ASKED, "/", Some(&bank::good()));
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(self.upstream.take_one().header("ssl-client-verify"), "SUCCESS");
        self.vestibule.assert_no_panic();
    }
}

pub(crate) fn get(host: &str, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n")
}

pub(crate) fn connector(client: Option<&Person>) -> SslConnectorBuilder {
    let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
    connector.set_min_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    connector.cert_store_mut().add_cert(authorities().root.certificate.clone()).unwrap();
    if let Some(person) = client {
        connector.set_certificate(&person.certificate).unwrap();
        connector.set_private_key(&person.key).unwrap();
    }
    connector
}

/// A handshake, for a server name or without one.
pub(crate) fn handshake(
    port: u16,
    name: Option<&str>,
    client: Option<&Person>,
    adjust: impl Fn(&mut SslConnectorBuilder),
) -> Result<SslStream<TcpStream>, String> {
    let mut builder = connector(client);
    adjust(&mut builder);
    let mut connection: ConnectConfiguration = builder.build().configure().unwrap();
    connection.set_use_server_name_indication(name.is_some());
    connection.set_verify_hostname(name.is_some());
    connection.connect(name.unwrap_or(ASKED), connected(port)).map_err(|why| why.to_string())
}

/// Files of a client for programs.
pub(crate) struct ClientFiles {
    folder: TempDir,
    has_client: bool,
}

impl ClientFiles {
    pub(crate) fn of(client: Option<&Person>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), pem(&authorities().root.certificate)).unwrap();
        if let Some(person) = client {
            std::fs::write(folder.path().join("client.pem"), pem(&person.certificate)).unwrap();
            std::fs::write(folder.path().join("client.key"), key_pem(person)).unwrap();
        }
        Self { folder, has_client: client.is_some() }
    }

    fn path(&self, file: &str) -> String {
        self.folder.path().join(file).display().to_string()
    }

    /// curl's status and body.
    pub(crate) fn curl(&self, port: u16, host: &str, path: &str, more: &[&str]) -> (String, String) {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--max-time", "20", "--write-out", "\n%{http_code}"]);
        command.args(["--noproxy", "*", "--cacert", &self.path("ca.pem")]);
        command.args(["--resolve", &format!("{host}:{port}:127.0.0.1")]);
        if self.has_client {
            command.args(["--cert", &self.path("client.pem"), "--key", &self.path("client.key")]);
        }
        let ran = command.args(more).arg(format!("https://{host}:{port}{path}")).output().unwrap();
        let text = String::from_utf8_lossy(&ran.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.to_owned(), body.to_owned())
    }

    /// What `openssl s_client` prints of a connection under a name.
    pub(crate) fn s_client(&self, port: u16, more: &[&str]) -> String {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-CAfile", &self.path("ca.pem")]).args(more);
        if self.has_client {
            command.args(["-cert", &self.path("client.pem"), "-key", &self.path("client.key")]);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // `Q` at the start of a line ends it.
        let _ = child.stdin.take().unwrap().write_all(b"Q\n");
        let output = child.wait_with_output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }
}
