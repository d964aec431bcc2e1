//! An office whose admin listener speaks TLS, and scripts that tell a story with it: a line of JSON each way, by turns.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::bank::{Bank, pem, person_of, valid};
use crate::dns_server::DnsServer;
use crate::office::{OFTEN, ORIGIN, Office, SECRET, TOKEN, office_files};
use crate::pki::{Ca, Leaf, new_key};
use crate::recording_upstream::RecordingUpstream;
use crate::vestibule_program::Vestibule;

/// subjectAltName with `localhost` and 127.0.0.1.
const NAMES: &[u8] = b"\x30\x11\x82\x09localhost\x87\x04\x7f\0\0\x01";

pub(crate) struct TlsOffice {
    pub(crate) office: Office,
    /// The CA of its certificate, as a file.
    pub(crate) ca: PathBuf,
}

impl TlsOffice {
    pub(crate) fn open() -> Self {
        let ca = Ca::self_signed("Admin Root", new_key(), valid());
        let names = ("2.5.29.17", false, NAMES.to_vec());
        let leaf = Leaf { client_auth: false, extra: vec![names], dates: valid(), ..Leaf::named("admin") };
        let server = person_of(&ca, &leaf);
        let (upstream, dns) = (RecordingUpstream::start(), DnsServer::start());
        let mut files = office_files(&upstream, &dns, OFTEN);
        files[0].1.push_str("\n[admin.tls]\ncertificate = \"tls/admin.pem\"\nkey = \"tls/admin.key\"\n");
        let key = String::from_utf8(server.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        files.push(("tls/admin.pem".into(), pem(&server.certificate)));
        files.push(("tls/admin.key".into(), key));
        files.push(("tls/ca.pem".into(), pem(&ca.certificate)));
        let vestibule = Vestibule::start(&files);
        let ca = vestibule.folder().join("tls/ca.pem");
        Self { office: Office { bank: Bank { vestibule, upstream }, dns }, ca }
    }

    /// Where the admin listener is, as SDKs want it.
    pub(crate) fn admin(&self) -> String {
        format!("127.0.0.1:{}", self.office.bank.vestibule.admin_port())
    }

    /// A command that knows the office.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("ADMIN", self.admin()).env("TOKEN", TOKEN).env("ORIGIN", ORIGIN).env("SECRET", SECRET);
        command.env("CA", &self.ca).env("NODE_EXTRA_CA_CERTS", &self.ca).env("SSL_CERT_FILE", &self.ca);
        for proxy in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(proxy);
        }
        command
    }

    /// Runs a script to its end and does what it wishes on the way.
    pub(crate) fn tell(&self, command: &mut Command) {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap_or_else(|why| panic!("{command:?}: {why}"));
        let (mut to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut errors = child.stderr.take().unwrap();
        let said = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            text
        });
        let mut told = String::new();
        for line in from.lines() {
            let line = line.unwrap();
            match serde_json::from_str::<Value>(&line) {
                Ok(wish) if wish["do"].is_string() => {
                    let answer = self.fulfil(&wish);
                    if writeln!(to, "{answer}").is_err() {
                        break;
                    }
                }
                _ => told.push_str(&(line + "\n")),
            }
        }
        drop(to);
        let status = child.wait().unwrap();
        let diagnostics = || self.office.bank.vestibule.diagnostics();
        assert!(status.success(), "{status}: {told}{}\n{}", said.join().unwrap(), diagnostics());
    }

    fn fulfil(&self, wish: &Value) -> Value {
        let text = |name: &str| wish[name].as_str().unwrap();
        match text("do") {
            "txt" => {
                self.office.dns.txt(text("name"), text("value"));
                json!({})
            }
            "knock" => json!({ "status": self.office.knock(text("host"), text("key")) }),
            other => panic!("a script wishes for `{other}`"),
        }
    }
}
