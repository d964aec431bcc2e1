//! Who may be asked, how, and how much of the answer is read.

use crate::bank::{Request, authorities};
use crate::openssl_responder::OpensslResponder;
use crate::revocation_server::{Behaviour, RevocationServer};
use crate::set_up::{QUICK, all_fetches, fetches, list, naming, open, outcome};

const ROOT: &str = "crl = [\"crl/root.pem\"]\n";

#[test]
fn a_host_that_is_not_listed_is_never_contacted() {
    let server = RevocationServer::start();
    server.set_any(Behaviour::Body(list(&[])));
    let client = naming("client", 7000, Some(&server.url("/a.crl")), Some(&server.url("/ocsp")));
    let port = server.port() + 1;
    for hosts in ["crl.example".to_owned(), "127.0.0.1".to_owned(), format!("127.0.0.1:{port}"), "*.0.0.1.example".to_owned()] {
        let lines = format!("{ROOT}ocsp = \"leaf\"\nrevocation_hosts = [\"{hosts}\"]\nallow_private_addresses = true");
        let bank = open(&lines, QUICK);
        assert_eq!(outcome(&bank, "/strict/", &client), "revocation_unknown", "{hosts}");
        assert_eq!(outcome(&bank, "/", &client), "passed", "{hosts}");
        assert_eq!((all_fetches(&bank, "crl"), all_fetches(&bank, "ocsp")), (0, 0), "{hosts}");
        bank.vestibule.wait_for_diagnostics("revocation_hosts");
    }
    assert_eq!(server.hits(), 0);
}

#[test]
fn a_private_address_is_never_contacted_for_a_certificate() {
    let server = RevocationServer::start();
    server.set_any(Behaviour::Body(list(&[])));
    let port = server.port();
    for host in ["127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]", "[::1]", "2130706433"] {
        let listed = match host {
            "0x7f.1" | "2130706433" => "127.0.0.1",
            host => host,
        };
        let lines = format!("{ROOT}ocsp = \"leaf\"\nrevocation_hosts = [\"{listed}:{port}\"]");
        let bank = open(&lines, QUICK);
        let url = format!("http://{host}:{port}");
        let client = naming("client", 7100, Some(&format!("{url}/a.crl")), Some(&url));
        assert_eq!(outcome(&bank, "/strict/", &client), "revocation_unknown", "{host}");
        assert_eq!((fetches(&bank, "crl", "refused_address"), fetches(&bank, "ocsp", "refused_address")), (1, 1), "{host}");
        assert!(bank.vestibule.diagnostics().contains("not an address of the public internet"), "{host}");
    }
    assert_eq!(server.hits(), 0);
}

#[test]
fn a_certificate_without_a_sound_chain_makes_nobody_fetch() {
    let server = RevocationServer::start();
    server.set_any(Behaviour::Body(list(&[])));
    let url = server.url("/a.crl");
    let lines = format!("{ROOT}ocsp = \"on\"\nrevocation_hosts = [\"{}\"]\nallow_private_addresses = true", server.host());
    let bank = open(&lines, QUICK);
    let extra = || vec![crate::set_up::distribution_point(&url), crate::set_up::responder(&url)];
    let leaf = || crate::pki::Leaf { extra: extra(), ..crate::bank::leaf("client") };
    let issuing = &authorities().issuing;
    for (what, certificate) in [
        ("forged", issuing.forge(&leaf())),
        ("of a stranger", authorities().stranger.issue(&leaf())),
        ("its own issuer", crate::pki::self_signed(&leaf())),
    ] {
        let person = crate::bank::Person { certificate, key: crate::pki::new_key() };
        for path in ["/", "/strict/", "/permissive/"] {
            outcome(&bank, path, &person);
        }
        assert_eq!(all_fetches(&bank, "crl") + all_fetches(&bank, "ocsp"), 0, "{what}");
    }
    assert_eq!(server.hits(), 0);
}

#[test]
fn lists_have_a_largest_size() {
    let server = RevocationServer::start();
    let exact = list(&[]);
    let hosts = format!("{ROOT}revocation_hosts = [\"{}\"]\nallow_private_addresses = true", server.host());
    let client = naming("client", 7200, Some(&server.url("/a.crl")), None);
    let announced = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n".to_vec();
    for (what, most, behaviour, wanted, counted) in [
        ("as large as it may be", exact.len(), Behaviour::Body(exact.clone()), "passed", "ok"),
        ("an octet more", exact.len() - 1, Behaviour::Body(exact.clone()), "revocation_unknown", "too_large"),
        ("an octet more, in chunks", exact.len() - 1, Behaviour::Chunked(exact.clone()), "revocation_unknown", "too_large"),
        ("announced", 100_000, Behaviour::Raw(announced), "revocation_unknown", "too_large"),
        ("without end", 1_000_000, Behaviour::Endless, "revocation_unknown", "too_large"),
    ] {
        server.set("/a.crl", behaviour);
        let settings = format!("[revocation]\nhttp_timeout = \"15s\"\nfirst_wait = \"15s\"\ncrl_max_size = \"{most}B\"\n");
        let bank = open(&hosts, &settings);
        assert_eq!(outcome(&bank, "/strict/", &client), wanted, "{what}");
        assert_eq!(fetches(&bank, "crl", counted), 1, "{what}");
    }
}

#[test]
fn the_proxy_of_the_settings_is_used() {
    let (server, proxy) = (RevocationServer::start(), RevocationServer::start());
    server.set_any(Behaviour::Status(500));
    proxy.set("/list.crl", Behaviour::Body(list(&[])));
    let client = naming("client", 7300, Some("http://crl.ca.example/list.crl"), None);
    let lines = format!("{ROOT}revocation_hosts = [\"*.ca.example\"]");
    let bank = open(&lines, &format!("{QUICK}http_proxy = \"{}\"\n", proxy.url("")));
    assert_eq!(outcome(&bank, "/strict/", &client), "passed", "{}", bank.vestibule.diagnostics());
    let asked = proxy.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].line, "GET http://crl.ca.example/list.crl HTTP/1.1");
    // A certificate cannot make the proxy reach into the private network by an address.
    let inside = naming("client", 7301, Some(&server.url("/list.crl")), None);
    let lines = format!("{ROOT}revocation_hosts = [\"{}\"]", server.host());
    let bank = open(&lines, &format!("{QUICK}http_proxy = \"{}\"\n", proxy.url("")));
    assert_eq!(outcome(&bank, "/strict/", &inside), "revocation_unknown");
    assert_eq!((proxy.hits(), server.hits()), (1, 0));
}

#[test]
fn what_a_request_looks_like() {
    let server = RevocationServer::start();
    server.set_any(Behaviour::Status(500));
    let client = naming("client", 7400, Some(&server.url("/a.crl")), Some(&server.url("/ocsp/")));
    let hosts = format!("{ROOT}revocation_hosts = [\"{}\"]\nallow_private_addresses = true\n", server.host());
    for (nonce, methods) in
        [("off", &["GET /ocsp/M", "POST /ocsp/ ", "GET /a.crl "][..]), ("prefer", &["POST /ocsp/ ", "GET /a.crl "])]
    {
        let before = server.hits();
        let bank = open(&format!("{hosts}ocsp = \"leaf\"\nocsp_nonce = \"{nonce}\""), QUICK);
        outcome(&bank, "/strict/", &client);
        let asked = server.asked().split_off(before);
        assert_eq!(asked.len(), methods.len(), "{asked:?}");
        for (asked, start) in asked.iter().zip(methods) {
            assert!(asked.line.starts_with(start), "{asked:?}");
            assert!(
                asked.head.contains("accept-encoding: identity") && asked.head.contains("user-agent: vestibule/"),
                "{asked:?}"
            );
            assert!(!asked.head.contains("cookie") && !asked.head.contains("referer"), "{asked:?}");
            let post = asked.line.starts_with("POST");
            assert_eq!(asked.head.contains("content-type: application/ocsp-request"), post);
            assert_eq!(asked.body.first() == Some(&0x30), post);
            // The nonce is 32 octets in two OCTET STRINGs (RFC 9654).
            let has_nonce = memchr::memmem::find(&asked.body, &[0x04, 0x22, 0x04, 0x20]).is_some();
            assert_eq!(has_nonce, post && nonce == "prefer");
        }
    }
}

#[test]
fn a_subrequest_and_explain_fetch_too_and_not_by_a_proxy_of_the_environment() {
    let issuing = &authorities().issuing;
    let client = naming("client", 7500, None, None);
    let responder =
        OpensslResponder::start(&issuing.certificate, &issuing.certificate, &issuing.key, &[], &[&client.certificate]);
    let bank = open(&format!("{ROOT}ocsp = \"leaf\"\nocsp_responder = \"{}\"", responder.url()), QUICK);
    let request = Request::get("/").of(&client);
    let asking = request.clone().retarget("/-/authorize").with("x-original-uri", "/").with("x-original-method", "GET");
    assert_eq!(bank.vestibule.code(&bank.vestibule.ask(asking.text())), "certificate_revoked");
    std::fs::write(bank.vestibule.folder().join("head.txt"), request.text()).unwrap();
    let elsewhere = RevocationServer::start();
    let said = std::process::Command::new(env!("CARGO_BIN_EXE_vestibule"))
        .envs(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"].map(|name| (name, elsewhere.url(""))))
        .args(["explain", "--config"])
        .arg(bank.vestibule.folder())
        .arg(bank.vestibule.folder().join("head.txt"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("revocation     revoked\n") && said.contains("(keyCompromise)"), "{said}");
    assert_eq!(elsewhere.hits(), 0, "the environment's proxy was used");
}
