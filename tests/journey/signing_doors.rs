//! Front doors that sign by themselves: a stock HAProxy, and an nginx with njs. Real TLS clients before them.

use std::path::Path;

use tempfile::TempDir;

use crate::bank::{Bank, DOMAIN, Person, authorities, expired, good, leaf, pem, person, server};
use crate::front_door::get;
use crate::haproxy::Haproxy;
use crate::http_client::Answer;
use crate::nginx::Nginx;
use crate::ports::free_port;
use crate::proofs::{SECRET, bank_with, signature_keys};
use crate::tls_client;

/// A bank behind a front door that signs.
struct Door {
    bank: Bank,
    port: u16,
    _program: Box<dyn std::any::Any>,
    _folder: TempDir,
}

fn open(start: impl Fn(&Path, u16, u16) -> Box<dyn std::any::Any>) -> Door {
    let bank = bank_with("\"signature\"", &signature_keys(&["edge1"]), crate::bank::PROCESS);
    let (folder, port, server) = (tempfile::tempdir().unwrap(), free_port(), server());
    let chain = pem(&server.certificate) + &pem(&authorities().issuing.certificate);
    let key = String::from_utf8(server.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    for (name, text) in [
        ("server.pem", format!("{chain}{key}")),
        ("root.pem", pem(&authorities().root.certificate)),
        ("signature.key", openssl::base64::encode_block(SECRET)),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let program = start(folder.path(), port, bank.vestibule.port());
    Door { bank, port, _program: program, _folder: folder }
}

impl Door {
    fn ask(&self, person: Option<&Person>, target: &str, lines: &str) -> Answer {
        tls_client::connect(self.port, person).ask(get(target, lines))
    }

    /// Good clients pass, others get what they deserve, and nothing that a client sends takes the place of what the door says.
    fn serves(&self) {
        let good = good();
        for target in ["/payments/1", "/payments/1?", "/payments/1?a=b&c=%20d", "/payments/%7ex?q=%22'"] {
            let answer = self.ask(Some(&good), target, "");
            assert_eq!(answer.status, 200, "{target}: {}", self.bank.vestibule.access_line(&answer));
            let received = self.bank.upstream.take_one();
            assert_eq!((received.header("x-client-cn"), received.target.as_str()), ("good", target));
            assert_eq!(received.header("x-forwarded-for"), "127.0.0.1");
            assert_eq!(self.bank.vestibule.access_line(&answer)["forward.keyid"], "edge1");
        }
        let expired = person(&crate::pki::Leaf { dates: expired(), ..leaf("expired") });
        for (person, target, code) in [(None, "/", "certificate_required"), (Some(&expired), "/", "certificate_expired")] {
            assert_eq!(self.bank.refused(&self.ask(person, target, ""), 401), code);
        }
        assert_eq!(self.ask(None, "/public/", "").status, 200);
        self.bank.upstream.take();
        let forged = format!(
            "client-certificate: {}\r\nclient-certificate-ca-verified: SUCCESS\r\nsignature: edge=:AAAA:\r\n\
             signature-input: edge=();keyid=\"edge1\"\r\nx-forwarded-for: 10.0.0.1\r\n",
            crate::bank::escaped(&good.certificate)
        );
        assert_eq!(self.bank.refused(&self.ask(None, "/", &forged), 401), "certificate_required");
        // On one connection each request is signed for itself, whatever its method and body.
        let mut client = tls_client::connect(self.port, Some(&good));
        for number in 0..3 {
            let body = format!("amount={number}");
            let length = body.len();
            let answer = client
                .ask(format!("POST /payments/{number} HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: {length}\r\n\r\n{body}"));
            assert_eq!(answer.status, 200, "{}", self.bank.vestibule.access_line(&answer));
        }
        self.bank.upstream.take();
        // Past the door there is no signature.
        let past = crate::bank::Request::get("/").of(&good);
        assert_eq!(self.bank.refused(&self.bank.vestibule.ask(past.text()), 403), "signature_missing");
    }
}

/// HAProxy 2.6 and later, without a module. The certificate is PEM on one line, escaped as nginx does it.
const HAPROXY: &str = r#"
global
  maxconn 100
  set-dumpable
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend clients
  bind 127.0.0.1:PORT ssl crt server.pem ca-file root.pem verify optional crt-ignore-err all ca-ignore-err all
  http-request deny deny_status 400 if { ssl_c_used } !{ ssl_c_der,base64,url_enc -m found }
  http-request del-header client-certificate
  http-request del-header signature
  http-request del-header signature-input
  http-request set-header x-forwarded-for %[src]
  http-request set-header client-certificate -----BEGIN%%20CERTIFICATE-----%%0A%[ssl_c_der,base64,url_enc]%%0A-----END%%20CERTIFICATE-----%%0A if { ssl_c_used }
  http-request set-header client-certificate-ca-verified NONE if !{ ssl_c_used }
  http-request set-header client-certificate-ca-verified FAILED:%[ssl_c_verify] if { ssl_c_used }
  http-request set-header client-certificate-ca-verified SUCCESS if { ssl_c_used } { ssl_c_verify 0 }
  http-request set-var(txn.created) date()
  http-request set-var(txn.nonce) uuid()
  http-request set-var-fmt(txn.common) "\"@method\": %[method]\n\"@authority\": %[req.hdr(host),lower,regsub(:443\$,)]\n\"@path\": %[path]\n\"@query\": ?%[query]\n\"client-certificate-ca-verified\": %[req.hdr(client-certificate-ca-verified)]\n\"x-forwarded-for\": %[req.hdr(x-forwarded-for)]\n"
  http-request set-var-fmt(txn.input) "(\"@method\" \"@authority\" \"@path\" \"@query\" \"client-certificate-ca-verified\" \"x-forwarded-for\");created=%[var(txn.created)];nonce=\"%[var(txn.nonce)]\";alg=\"hmac-sha256\";keyid=\"edge1\"" if !{ ssl_c_used }
  http-request set-var-fmt(txn.base) "%[var(txn.common)]\"@signature-params\": %[var(txn.input)]" if !{ ssl_c_used }
  http-request set-var-fmt(txn.input) "(\"@method\" \"@authority\" \"@path\" \"@query\" \"client-certificate-ca-verified\" \"x-forwarded-for\" \"client-certificate\");created=%[var(txn.created)];nonce=\"%[var(txn.nonce)]\";alg=\"hmac-sha256\";keyid=\"edge1\"" if { ssl_c_used }
  http-request set-var-fmt(txn.base) "%[var(txn.common)]\"client-certificate\": %[req.hdr(client-certificate)]\n\"@signature-params\": %[var(txn.input)]" if { ssl_c_used }
  http-request set-header signature-input edge=%[var(txn.input)]
  http-request set-header signature edge=:%[var(txn.base),hmac(sha256,SECRET),base64]:
  default_backend vestibule
backend vestibule
  server vestibule 127.0.0.1:VESTIBULE
"#;

#[test]
fn haproxy_signs_and_vestibule_verifies() {
    let door = open(|folder, port, vestibule| {
        let text = HAPROXY
            .replace("VESTIBULE", &vestibule.to_string())
            .replace("SECRET", &openssl::base64::encode_block(SECRET))
            .replace("PORT", &port.to_string());
        Box::new(Haproxy::start(&text, folder, ([127, 0, 0, 1], port).into()))
    });
    door.serves();
    // What the documentation shows is what was tested.
    let page = include_str!("../../docs/front-doors.md");
    for line in HAPROXY.lines().filter(|line| line.starts_with("  http-request")) {
        assert!(page.contains(&line.replace("SECRET", "KEY")), "not in docs/front-doors.md: {line}");
    }
}

const NJS: &str = r#"
import crypto from 'crypto';
import fs from 'fs';

const key = Buffer.from(fs.readFileSync('FOLDER/signature.key').toString().trim(), 'base64');

function signed(r) {
    const v = r.variables, uri = v.request_uri, at = uri.indexOf('?');
    const parts = [
        ['@method', r.method],
        ['@authority', v.http_host.toLowerCase().replace(/:443$/, '')],
        ['@path', at < 0 ? uri : uri.slice(0, at)],
        ['@query', at < 0 ? '?' : uri.slice(at)],
        ['client-certificate-ca-verified', v.ssl_client_verify],
        ['x-forwarded-for', v.remote_addr],
    ];
    if (v.ssl_client_escaped_cert) {
        parts.push(['client-certificate', v.ssl_client_escaped_cert]);
    }
    const params = '(' + parts.map(p => '"' + p[0] + '"').join(' ') + ');created=' + Math.floor(Date.now() / 1000)
        + ';keyid="edge1";nonce="' + v.request_id + '"';
    const base = parts.map(p => '"' + p[0] + '": ' + p[1] + '\n').join('') + '"@signature-params": ' + params;
    return params + ' ' + crypto.createHmac('sha256', key).update(base).digest('base64');
}

export default { signed };
"#;

const NGINX: &str = r#"
js_import sign from sign.js;
js_set $edge_signed sign.signed;
# Only a variable that a directive names is made once for each request: both headers must be of one signature.
map $edge_signed $edge_input { "~^(?<input>.+) [^ ]+$" edge=$input; }
map $edge_signed $edge_mac { "~ (?<mac>[^ ]+)$" edge=:$mac:; }
server {
    listen 127.0.0.1:PORT ssl;
    ssl_certificate server.pem;
    ssl_certificate_key server.pem;
    ssl_verify_client optional_no_ca;
    error_page 495 496 = @vestibule;
    location / { try_files /nothing @vestibule; }
    location @vestibule {
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header x-forwarded-for $remote_addr;
        proxy_set_header client-certificate $ssl_client_escaped_cert;
        proxy_set_header client-certificate-ca-verified $ssl_client_verify;
        proxy_set_header signature-input $edge_input;
        proxy_set_header signature $edge_mac;
        proxy_pass http://127.0.0.1:VESTIBULE;
    }
}
"#;

#[test]
fn nginx_with_njs_signs_and_vestibule_verifies() {
    let module = Path::new("/usr/lib/nginx/modules/ngx_http_js_module.so");
    assert!(module.exists(), "install it with: apt-get install libnginx-mod-http-js");
    let door = open(|folder, port, vestibule| {
        std::fs::write(folder.join("sign.js"), NJS.replace("FOLDER", folder.to_str().unwrap())).unwrap();
        let http = NGINX.replace("VESTIBULE", &vestibule.to_string()).replace("PORT", &port.to_string());
        Box::new(Nginx::start_with_module(module, &http, folder))
    });
    door.serves();
}
