//! The bank of these tests: its CAs and clients, its configuration, and what its front door sends.

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use openssl::pkey::{PKey, Private};
use openssl::x509::{X509, X509Crl};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use vestibule::secret::Pepper;

use crate::http_client::Answer;
use crate::pki::{Ca, DAY, Dates, Leaf, new_key};
use crate::recording_upstream::RecordingUpstream;
use crate::vestibule_program::{Files, Vestibule};

/// The domain that most tests ask for.
pub(crate) const DOMAIN: &str = "api.bank.example";
/// The front door's key in most tests.
pub(crate) const KEY: &str = "journey-key-0123456789abcdef0123456789abcdef";
/// The client address that the front door says.
pub(crate) const CLIENT: &str = "203.0.113.9";

/// Seconds since the epoch: the program reads the real clock, so these certificates are made for it.
pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

pub(crate) fn valid() -> Dates {
    Dates(now() - 2 * DAY, now() + 300 * DAY)
}

pub(crate) fn expired() -> Dates {
    Dates(now() - 30 * DAY, now() - DAY)
}

/// A client: certificate and key.
pub(crate) struct Person {
    pub(crate) certificate: X509,
    pub(crate) key: PKey<Private>,
}

/// The CAs: a root, the CA below it that issues, and one that nobody trusts but that has the same name as the issuing one.
pub(crate) struct Authorities {
    pub(crate) root: Ca,
    pub(crate) issuing: Ca,
    pub(crate) stranger: Ca,
}

/// Serial number of the revoked clients.
pub(crate) const REVOKED: u32 = 666;

/// Made once: keys take their time.
pub(crate) fn authorities() -> &'static Authorities {
    static MADE: LazyLock<Authorities> = LazyLock::new(|| {
        let dates = Dates(now() - 100 * DAY, now() + 400 * DAY);
        let root = Ca::self_signed("Journey Root", new_key(), dates);
        let issuing = root.certify("Journey Issuing", new_key(), dates);
        let stranger = Ca::self_signed("Journey Issuing", new_key(), dates);
        Authorities { root, issuing, stranger }
    });
    &MADE
}

/// A certificate of the issuing CA, or of another one.
pub(crate) fn person_of(ca: &Ca, leaf: &Leaf) -> Person {
    let key = new_key();
    Person { certificate: ca.issue_for(leaf, &key), key }
}

pub(crate) fn person(leaf: &Leaf) -> Person {
    person_of(&authorities().issuing, leaf)
}

pub(crate) fn leaf(name: &str) -> Leaf {
    Leaf { dates: valid(), ..Leaf::named(name) }
}

/// GeneralNames with one of each kind that a client may be registered by.
pub(crate) fn alternative_names() -> Vec<u8> {
    let address = "2001:db8::42".parse::<std::net::Ipv6Addr>().unwrap().octets();
    let names: [(u8, &[u8]); 4] =
        [(0x82, b"app.bank.example"), (0x86, b"spiffe://bank.example/app"), (0x81, b"App@bank.example"), (0x87, &address)];
    let short = |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
    short(0x30, &names.iter().flat_map(|(tag, content)| short(*tag, content)).collect::<Vec<u8>>())
}

/// A good client.
pub(crate) fn good() -> Person {
    person(&leaf("good"))
}

/// Certificate and key for a server, or for a purpose that the extended key usage does not allow a client.
pub(crate) fn server() -> Person {
    person(&Leaf { client_auth: false, dns: vec![DOMAIN.into(), format!("mtls.{DOMAIN}")], ..leaf(DOMAIN) })
}

pub(crate) fn pem(certificate: &X509) -> String {
    String::from_utf8(certificate.to_pem().unwrap()).unwrap()
}

/// Both CRLs, as PEM.
pub(crate) fn crls(revoked: &[u32]) -> String {
    let made = |ca: &Ca, serials: &[u32]| {
        let der = ca.crl_signed_by(&ca.key, serials, Dates(now() - DAY, now() + DAY));
        String::from_utf8(X509Crl::from_der(&der).unwrap().to_pem().unwrap()).unwrap()
    };
    made(&authorities().root, &[]) + &made(&authorities().issuing, revoked)
}

/// What nginx leaves unescaped in `$ssl_client_escaped_cert`.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(crate) fn escape(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

pub(crate) fn escaped(certificate: &X509) -> String {
    escape(&pem(certificate))
}

/// A tenant's file in pieces.
#[derive(Clone)]
pub(crate) struct Tenant {
    pub(crate) name: String,
    pub(crate) domain: String,
    pub(crate) keys: Vec<String>,
    /// Lines before the first table.
    pub(crate) top: String,
    /// Further lines of `[[domains]]`.
    pub(crate) domain_lines: String,
    /// Further lines of `[[front_doors]]`.
    pub(crate) door_lines: String,
    /// Further lines of `[trusted_ca.clients]`.
    pub(crate) trust_lines: String,
    /// Further lines of `[upstreams.core]`.
    pub(crate) upstream_lines: String,
    /// The path of the route that takes what no other one does.
    pub(crate) root_route: String,
    /// Further tables.
    pub(crate) tables: String,
}

impl Default for Tenant {
    fn default() -> Self {
        Self {
            name: "bank".into(),
            domain: DOMAIN.into(),
            keys: vec![KEY.into()],
            top: "enable_mtls_endpoint_aliases = true\n".into(),
            domain_lines: String::new(),
            door_lines: String::new(),
            trust_lines: "intermediates = [\"trusted-ca/issuing.pem\"]\ncrl = [\"crl/clients.pem\"]\n".into(),
            upstream_lines: String::new(),
            root_route: "/".into(),
            tables: String::new(),
        }
    }
}

/// Routes of every tenant, one for each policy.
const ROUTES: [(&str, &str); 9] = [
    ("/", ""),
    ("/public/", "allow_unauthenticated_requests = true"),
    ("/grace/", "allow_expired_certificates = true"),
    ("/lenient/", "allow_revoked_certificates = true"),
    ("/forgiving/", "allow_expired_certificates = true, allow_revoked_certificates = true"),
    ("/permissive/", "verification = \"permissive\""),
    ("/off/", "verification = \"off\""),
    ("/strict/", "revocation_check_mode = \"STRICT\""),
    ("/payments/", ""),
];

const RULES: &str = r#"
[[rules]]
name = "no contractors"
criteria = [[
  { variable = "${uri}", operator = "starts_with", argument = "/payments/" },
  { conditional = "and", variable = "${ssl_client_s_dn_parsed}", operator = "matches", argument = "^contractor" },
]]
behaviors = [{ type = "deny" }]

[[rules]]
name = "name"
criteria = [[{ variable = "${ssl_client_verify}", operator = "is_equal", argument = "SUCCESS" }]]
behaviors = [{ type = "add_request_header", value = "X-Client-CN: ${ssl_client_s_dn_parsed}" }]
"#;

/// The pepper of every configuration.
pub(crate) const PEPPER: &str = "6a6f75726e65796a6f75726e65796a6f75726e65796a6f75726e65796a6f7572";

impl Tenant {
    /// The file's text.
    pub(crate) fn text(&self, upstream: &str) -> String {
        let pepper = Pepper::parse(PEPPER).unwrap();
        let tags: Vec<String> = self.keys.iter().map(|key| format!("\"{}\"", pepper.tag(key.as_bytes()))).collect();
        let mut text = format!(
            "{}\n[authorize]\npath = \"/-/authorize\"\n\n[[domains]]\nname = \"{}\"\ncname_api_keys = [{}]\n{}\n\
             [[front_doors]]\nname = \"nginx\"\nproofs = [\"api_key\"]\n{}\n\
             [trusted_ca.clients]\ncertificates = [\"trusted-ca/root.pem\"]\n{}\n\
             [policy]\ntrusted_ca = \"clients\"\n\n[upstreams.core]\nurl = \"{upstream}\"\n{}\n",
            self.top,
            self.domain,
            tags.join(", "),
            self.domain_lines,
            self.door_lines,
            self.trust_lines,
            self.upstream_lines
        );
        for (path, policy) in ROUTES {
            let path = if path == "/" { self.root_route.as_str() } else { path };
            let _ = write!(text, "[[routes]]\npath = \"{path}\"\nupstream = \"core\"\npolicy = {{ {policy} }}\n\n");
        }
        text + &self.tables + RULES
    }

    fn file(&self, upstream: &str) -> (String, String) {
        (format!("tenants/{}.toml", self.name), self.text(upstream))
    }
}

/// The process's file.
pub(crate) const PROCESS: &str = r#"
[server]
listen = ["127.0.0.1:{port}"]
workers = 2
shutdown_timeout = "20s"

[admin]
listen = "127.0.0.1:{admin}"

[secrets]
pepper_file = "secrets/pepper"
"#;

/// A whole configuration folder.
pub(crate) fn files(tenants: &[(Tenant, String)]) -> Files {
    let mut files: Files = vec![
        ("vestibule.toml".into(), PROCESS.into()),
        ("secrets/pepper".into(), PEPPER.into()),
        ("trusted-ca/root.pem".into(), pem(&authorities().root.certificate)),
        ("trusted-ca/issuing.pem".into(), pem(&authorities().issuing.certificate)),
        ("crl/clients.pem".into(), crls(&[REVOKED])),
    ];
    files.extend(tenants.iter().map(|(tenant, upstream)| tenant.file(upstream)));
    files
}

/// A program with one tenant, and the upstream behind it.
pub(crate) struct Bank {
    pub(crate) vestibule: Vestibule,
    pub(crate) upstream: RecordingUpstream,
}

impl Bank {
    pub(crate) fn open() -> Self {
        Self::with(&Tenant::default())
    }

    pub(crate) fn with(tenant: &Tenant) -> Self {
        Self::before(tenant, RecordingUpstream::start())
    }

    pub(crate) fn before(tenant: &Tenant, upstream: RecordingUpstream) -> Self {
        let vestibule = Vestibule::start(&files(&[(tenant.clone(), upstream.url())]));
        Self { vestibule, upstream }
    }

    /// The upstream got nothing, and the answer says no more than it should. Returns the code of the access line.
    pub(crate) fn refused(&self, answer: &Answer, status: u16) -> String {
        let code = self.vestibule.code(answer);
        assert_eq!(answer.status, status, "{code}: {}", answer.text());
        assert_eq!(self.upstream.take().len(), 0, "{code}");
        assert_says_nothing(answer, &self.vestibule.access_line(answer));
        code
    }

    /// A good request still passes.
    pub(crate) fn assert_still_serves(&self) {
        let answer = self.vestibule.ask(Request::get("/").of(&good()).text());
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(self.upstream.take_one().header("ssl-client-verify"), "SUCCESS");
    }
}

/// Code and cause are for the log alone.
pub(crate) fn assert_says_nothing(answer: &Answer, line: &serde_json::Value) {
    let said = format!("{:?} {}", answer.headers, answer.text());
    for key in ["refusal.code", "refusal.cause"] {
        let secret = line[key].as_str().unwrap();
        assert!(!secret.is_empty() && !said.contains(secret), "{key} {secret} stands in {said}");
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.json()["request_id"], line["request.id"]);
}

/// A request as the front door sends it.
#[derive(Clone)]
pub(crate) struct Request {
    start: String,
    lines: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn new(method: &str, target: &str) -> Self {
        let request = Self { start: format!("{method} {target} HTTP/1.1"), lines: Vec::new(), body: Vec::new() };
        request.with("Host", DOMAIN).with("cname-api-key", KEY).with("X-Forwarded-For", CLIENT)
    }

    /// The same for another target.
    pub(crate) fn retarget(mut self, target: &str) -> Self {
        self.start = format!("GET {target} HTTP/1.1");
        self
    }

    /// The same with another method and target, like `POST /token`.
    pub(crate) fn towards(mut self, start: &str) -> Self {
        self.start = format!("{start} HTTP/1.1");
        self
    }

    /// One more line.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.lines.push((name.into(), value.into()));
        self
    }

    /// Without the lines of this name.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.lines.retain(|(found, _)| found != name);
        self
    }

    pub(crate) fn instead(self, name: &str, value: &str) -> Self {
        self.without(name).with(name, value)
    }

    /// With a client's certificate, as nginx without a CA forwards it.
    pub(crate) fn of(self, person: &Person) -> Self {
        self.carrying(&escaped(&person.certificate))
    }

    /// With these bytes in the certificate header.
    pub(crate) fn carrying(self, header: &str) -> Self {
        self.instead("client-certificate", header)
            .instead("client-certificate-ca-verified", "FAILED:unable to verify the first certificate")
    }

    /// Without a certificate, as nginx says that.
    pub(crate) fn of_nobody(self) -> Self {
        self.instead("client-certificate-ca-verified", "NONE")
    }

    /// With a body of known length.
    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.with("Content-Length", &body.len().to_string())
    }

    /// The bytes to send, as text.
    pub(crate) fn text_lossy(&self) -> String {
        String::from_utf8_lossy(&self.text()).into_owned()
    }

    /// The bytes to send.
    pub(crate) fn text(&self) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.start).into_bytes();
        for (name, value) in &self.lines {
            text.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        text.extend_from_slice(b"\r\n");
        text.extend_from_slice(&self.body);
        text
    }
}
