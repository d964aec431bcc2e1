//! A complete configuration folder, made for a test, and the program run on it.

#![allow(dead_code, unreachable_pub, reason = "a module of several test programs, each of which uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot make its folder has failed")]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use vestibule::secret::Pepper;

use crate::pki::{Ca, DAY, Dates, NOW, new_key};

/// The pepper: recognizable in an output.
pub const PEPPER: &str = "feedface0123456789abcdeffeedface0123456789abcdeffeedface01234567";
/// A key for signatures, and the password of Redis: recognizable too.
pub const SIGNATURE_KEY: &str = "c2lnbmF0dXJlLWtleS1mb3ItdGVzdHMtMDEyMzQ1Njc=\n";
pub const REDIS_PASSWORD: &str = "open-sesame-open-sesame\n";
/// The secret at the introspection endpoint.
pub const INTROSPECTION_SECRET: &str = "only-the-issuer-may-see-this\n";
/// What a front door sends.
pub const KEY: &str = "the key of the front door";
/// The instant of the tests, as the command line takes it.
pub const AT: &str = "2026-01-15T12:00:00Z";
/// For years: `check` judges dates by the machine's clock.
const LONG: Dates = Dates(NOW.0 - DAY, NOW.0 + 7_300 * DAY);

/// Every other key of `vestibule.toml`, each on a line of its own.
pub const PROCESS: &str = r#"
[server]
listen = ["127.0.0.1:18080", "unix:/tmp/vestibule.sock"]
workers = 2
keep_alive = "75s"
head_timeout = "10s"
shutdown_timeout = "30s"
[admin]
listen = "127.0.0.1:19180"
[secrets]
pepper_file = "secrets/pepper"
[replay]
redis = "redis://127.0.0.1:16379/1"
redis_password_file = "secrets/redis"
redis_timeout = "250ms"
[probe]
secret_file = "secrets/probe"
path = "/.well-known/vestibule-probe"
[debug]
secret_file = "secrets/debug"
header = "x-debug-token"
[limits]
header_count = 90
header_bytes = "96KiB"
certificate_cache_entries = 100
verification_cache_entries = 200
[logs]
level = "info"
access = "off"
[identity]
signing_keys = ["secrets/identity.pem"]
[revocation]
http_timeout = "5s"
connect_timeout = "2s"
first_wait = "3s"
crl_max_size = "32MiB"
http_proxy = "http://proxy.example:3128"
https_proxy = "http://proxy.example:3128"
ca_file = "trusted-ca/root.pem"
cache_folder = "revocation-cache"
retry_after_failure = "60s"
ocsp_max_age = "24h"
"#;

/// Every key of the management API, each on a line of its own: further lines of `vestibule.toml`, for the tenant `acme` as it is.
pub const MANAGEMENT: &str = r#"
[store]
url = "postgres://vestibule@127.0.0.1:5432/vestibule"
password_file = "secrets/postgres"
snapshot_file = "vestibule.snapshot"
[management]
tenant = "acme"
front_door = "nginx"
origin_domain = "edge.example"
dns_servers = ["127.0.0.1:10053"]
dns_timeout = "2s"
recheck_interval = "60s"
burst = 10
requests_per_second = 5
verifications_per_minute = 3
audience = "https://manage.example/api/v2/"
token_lifetime = "10m"
[[management.tokens]]
name = "ops"
tag = "hmac-sha256:198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7"
scopes = ["read:custom_domains"]
[[management.clients]]
client_id = "ci"
client_secrets = ["hmac-sha256:298a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7"]
scopes = ["read:logs"]
"#;

/// Every key of a tenant, each on a line of its own. `TAG` stands for the tag of [`KEY`].
pub const TENANT: &str = r#"
error_style = "json"
output_dialect = "nginx"
enable_mtls_endpoint_aliases = true
mtls_host_prefix = "mtls."
consumers_file = "lists/consumers.jsonl"
[authorize]
path = "/-/authorize"
original_uri_header = "x-original-uri"
original_method_header = "x-original-method"
[dn_helper]
path = "/-/dn"
[identity]
subject = "dn"
[identity.token]
header = "X-Vestibule-Identity"
issuer = "https://edge.example"
audience = "https://core.example"
lifetime = "60s"
[identity.token.audiences]
core = "https://core.internal"
[identity.user]
header = "X-Vestibule-User"
[[domains]]
name = "api.example"
front_door = "nginx"
custom_client_ip_header = "x-forwarded-for"
cname_api_keys = ["TAG"]
[[front_doors]]
name = "nginx"
format = "nginx"
proofs = ["api_key"]
certificate_header_max = "16KiB"
forwarded_verdict = "ignore"
forwarded_mismatch = "refuse"
require_sni = false
[front_doors.headers]
cname_api_key = "cname-api-key"
client_certificate = "client-certificate"
client_certificate_ca_verified = "client-certificate-ca-verified"
ssl_client_s_dn = "ssl_client_s_dn"
ssl_client_s_dn_parsed = "ssl_client_s_dn_parsed"
ssl_client_sigalg = "ssl_client_sigalg"
ssl_client_i_dn = "ssl-client-issuer"
ssl_client_serial = "ssl-client-number"
ssl_client_fingerprint = "ssl-client-sha1"
ssl_client_fingerprint_sha256 = "ssl-client-sha256"
ssl_client_v_start = "ssl-client-from"
ssl_client_v_end = "ssl-client-until"
ssl_client_validity = "ssl-client-validity"
ssl_server_name = "ssl-server-name"
request_id = "x-request-id"
[[front_doors]]
name = "signing"
proofs = ["api_key", "network", "signature", "unix"]
networks = ["192.0.2.0/24", "2001:db8::/32"]
unix_users = ["root", "33"]
unix_groups = ["root"]
signature_label = "edge"
signature_tag = "bank"
signature_components = ["x-extra"]
signature_max_age = "60s"
clock_tolerance = "5s"
[[front_doors.signature_keys]]
keyid = "edge1"
secret_file = "secrets/edge1"
[trusted_ca.clients]
certificates = ["trusted-ca/root.pem"]
intermediates = ["trusted-ca/issuing.pem"]
crl = ["crl/clients.pem"]
allow_partial_chain = false
x509_strict = true
allow_ed448 = false
crl_urls = ["http://crl.example/clients.crl"]
ocsp = "leaf"
ocsp_responder = "http://ocsp.example/"
ocsp_nonce = "off"
revocation_hosts = ["*.ca.example"]
allow_private_addresses = false
[trusted_ca.nobodys]
certificates = ["trusted-ca/nobodys.pem"]
[policy]
verification = "enforce"
trusted_ca = "clients"
allow_unauthenticated_requests = false
allow_expired_certificates = false
allow_revoked_certificates = false
revocation_check_mode = "IGNORE_CA_ERROR"
allow_stale_crl = false
max_path_length = 8
allow_missing_eku = false
allow_critical_qc_statements = false
min_rsa_bits = 2048
min_ec_bits = 256
signature_algorithms = []
require_profile = false
verification_mode = "enforce"
self_signed_certificates = []
certificate_bound_access_tokens = "off"
access_token_issuer = "as"
dpop_bound_access_tokens = "refuse"
tls_client_auth = false
self_signed_tls_client_auth = false
pass_unregistered_clients = false
authorization_server_metadata = "pass"
advertise_certificate_bound_access_tokens = false
required_scopes = []
expiry_warning = "30d"
expiry_warning_header = "X-Client-Cert-Expires"
allow_certificates = []
deny_certificates = []
consumer_by = ["username", "custom_id"]
default_consumer = "c1"
anonymous = "guest"
skip_consumer_lookup = false
authenticated_group_by = "CN"
san_dirname_matcher = ["commonName"]
allow_groups = []
deny_groups = ["blocked"]
[[consumers]]
id = "c1"
username = "guest"
custom_id = "4711"
groups = ["eu", "beta"]
tags = ["gold"]
[[consumers.credentials]]
id = "k1"
subject_name = "host.example"
ca_certificate = "trusted-ca/issuing.pem"
[[consumers.credentials]]
certificate = "spki-sha256:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab"
[[consumers.credentials]]
san_uri = "spiffe://example/a"
[[consumers.credentials]]
subject = { O = "Example" }
[[profiles]]
name = "nobodys"
kind = "psd2"
issuers = ["trusted-ca/nobodys.pem"]
check = "report"
[oauth.issuers.as]
issuer = "https://as.example"
audience = ["https://api.example"]
algorithms = ["PS256"]
token_types = ["at+jwt"]
clock_skew = "10s"
jwks_uri = "https://as.example/jwks"
introspection_endpoint = "https://as.example/introspect"
introspection_client_id = "edge"
introspection_client_secret_file = "secrets/introspection"
introspection_cache = "30s"
introspect = "opaque"
allow_missing_audience = false
[[oauth.clients]]
client_id = "app"
token_endpoint_auth_method = "tls_client_auth"
tls_client_auth_subject_dn = "CN=app,O=Example"
rdn_order = "strict"
[[oauth.clients]]
client_id = "own"
token_endpoint_auth_method = "self_signed_tls_client_auth"
jwks_uri = "https://own.example/jwks"
allow_private_addresses = true
[upstreams.core]
url = "http://127.0.0.1:19000"
host = "preserve"
connect_timeout = "5s"
response_timeout = "60s"
tunnel_timeout = "1h"
keep_alive = "60s"
max_idle_per_worker = 16
[upstream_headers]
"ssl-client-verify" = "${ssl_client_verify}"
"ssl-client-s-dn" = "${ssl_client_s_dn}"
[[routes]]
path = "/"
methods = ["GET", "POST"]
upstream = "core"
request_body_max = "1MiB"
error_style = "problem+json"
policy = { allow_unauthenticated_requests = true }
[lists.office]
type = "ip_cidr"
entries = ["192.0.2.0/24"]
[[rules]]
name = "no contractors"
description = "they have a door of their own"
phase = "request"
mode = "enforce"
routes = ["/"]
active = true
criteria = [[{ conditional = "if", variable = "${subject.O}", operator = "is_equal", argument = "Contractors" }]]
behaviors = [{ type = "deny" }]
[[rules]]
name = "tell"
behaviors = [{ type = "add_request_header", value = "X-CN: ${ssl_client_s_dn_parsed}" }]
"#;

/// A folder that is good until it is edited.
pub struct Folder {
    dir: TempDir,
    /// The trust anchor.
    pub root: Ca,
    /// The CA below it that issues clients' certificates.
    pub issuing: Ca,
}

impl Folder {
    /// Takes the consumers out of the tenant's file, and all that names them.
    pub fn without_consumers(&self) {
        let text = self.read("tenants/acme.toml");
        let (before, consumers) = text.split_once("[[consumers]]").unwrap();
        let after = consumers.split_once("[[profiles]]").unwrap().1;
        let names = ["consumers_file", "default_consumer", "anonymous", "deny_groups"];
        let kept = before.lines().filter(|line| !names.iter().any(|name| line.starts_with(name)));
        self.write("tenants/acme.toml", &format!("{}\n[[profiles]]{after}", kept.collect::<Vec<_>>().join("\n")));
    }

    pub fn good() -> Self {
        let root = Ca::self_signed("Root", new_key(), LONG);
        let issuing = root.certify("Issuing", new_key(), LONG);
        let folder = Self { dir: tempfile::tempdir().unwrap(), root, issuing };
        folder.write("vestibule.toml", PROCESS);
        folder.write("tenants/acme.toml", &TENANT.replace("TAG", &tag(KEY)));
        folder.write("secrets/pepper", &format!("{PEPPER}\n"));
        folder.write("secrets/edge1", SIGNATURE_KEY);
        folder.write("secrets/debug", SIGNATURE_KEY);
        folder.write("secrets/redis", REDIS_PASSWORD);
        folder.write("secrets/identity.pem", std::str::from_utf8(&new_key().private_key_to_pem_pkcs8().unwrap()).unwrap());
        folder.write("lists/consumers.jsonl", "{\"id\": \"c2\", \"username\": \"two\"}\n");
        folder.write("secrets/postgres", "geheim\n");
        folder.write("secrets/introspection", INTROSPECTION_SECRET);
        folder.write("secrets/probe", "cHJvYmUtcHJvYmUtcHJvYmUtcHJvYmUtcHJvYmUtMDE=\n");
        for file in [
            "secrets/edge1",
            "secrets/debug",
            "secrets/identity.pem",
            "secrets/probe",
            "secrets/redis",
            "secrets/postgres",
            "secrets/introspection",
        ] {
            std::fs::set_permissions(folder.path(file), std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        std::fs::set_permissions(folder.path("secrets/pepper"), std::fs::Permissions::from_mode(0o600)).unwrap();
        folder.write_bytes("trusted-ca/root.pem", &folder.root.certificate.to_pem().unwrap());
        folder.write_bytes("trusted-ca/issuing.pem", &folder.issuing.certificate.to_pem().unwrap());
        let nobodys = Ca::self_signed("Nobodys", new_key(), LONG);
        folder.write_bytes("trusted-ca/nobodys.pem", &nobodys.certificate.to_pem().unwrap());
        folder.revoke(&[]);
        folder
    }

    /// Puts these serial numbers on the issuing CA's list, and nothing on the root's.
    pub fn revoke(&self, serials: &[u32]) {
        let ours = self.issuing.crl_signed_by(&self.issuing.key, serials, LONG);
        let roots = self.root.crl_signed_by(&self.root.key, &[], LONG);
        let pem = [ours, roots].map(|der| pem::encode(&pem::Pem::new("X509 CRL", der))).concat();
        self.write("crl/clients.pem", &pem);
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    pub fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }

    pub fn write(&self, file: &str, text: &str) {
        self.write_bytes(file, text.as_bytes());
    }

    pub fn write_bytes(&self, file: &str, bytes: &[u8]) {
        std::fs::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        std::fs::write(self.path(file), bytes).unwrap();
    }

    /// Replaces a text that stands in a file exactly once.
    #[track_caller]
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert_eq!(text.matches(from).count(), 1, "`{from}` in {file}");
        self.write(file, &text.replacen(from, to, 1));
    }

    pub fn check(&self) -> Ran {
        self.run(&["check"], &[], b"")
    }

    /// Runs a command on this folder.
    pub fn run(&self, arguments: &[&str], variables: &[(&str, &str)], input: &[u8]) -> Ran {
        let mut command = vestibule();
        command.args(arguments).arg("--config").arg(self.dir.path()).envs(variables.iter().copied());
        run(&mut command, input)
    }

    /// Takes a request head through the configuration at [`AT`].
    pub fn explain(&self, head: &str) -> String {
        let ran = self.run(&["explain", "--at", AT], &[], head.as_bytes());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout
    }
}

/// The tag of a key under [`PEPPER`].
pub fn tag(key: &str) -> String {
    Pepper::parse(PEPPER).unwrap().tag(key.as_bytes()).to_string()
}

/// The program, without variables of ours.
pub fn vestibule() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().to_ascii_uppercase().starts_with("VESTIBULE") {
            command.env_remove(name);
        }
    }
    command
}

/// What a run left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a command with an input.
pub fn run(command: &mut Command, input: &[u8]) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input);
    ran(&child.wait_with_output().unwrap())
}

/// An output as texts. A panic is never right.
pub fn ran(output: &Output) -> Ran {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let ran = Ran {
        code: output.status.code().unwrap_or_else(|| panic!("ended by a signal: {output:?}")),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    };
    assert!(ran.code != 101 && !ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran
}
