//! Metadata of an authorization server on its way to clients. The server is one of the tests' own: it writes the host that it is asked
//! by into its URLs, as oidc-provider does.

use std::io::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::bank::{Bank, DOMAIN, Request, Tenant, leaf, now, person};
use crate::http_client::Answer;
use crate::recording_upstream::{Received, RecordingUpstream, reply};
use crate::vestibule_program::Vestibule;

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";
const CACHED: &str = "cache-control: public, max-age=3600\r\n";

fn of_host(host: &str) -> Value {
    json!({
        "issuer": format!("https://{DOMAIN}"),
        "authorization_endpoint": format!("https://{host}/auth"),
        "token_endpoint": format!("https://{host}/token"),
        "introspection_endpoint": format!("https://{host}/introspect"),
        "jwks_uri": format!("https://{host}/jwks"),
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "introspection_endpoint_auth_methods_supported": ["private_key_jwt"],
    })
}

/// A bank before a server that answers so, with the routes of a provider.
fn bank(top: &str, answer: impl Fn(&Received, &mut std::net::TcpStream) -> bool + Send + Sync + 'static) -> Bank {
    let upstream = RecordingUpstream::answering(answer);
    let rewrite = "verification = \"off\", authorization_server_metadata = \"rewrite\"";
    let clients = "verification = \"permissive\", tls_client_auth = true";
    let tables = format!(
        "[[oauth.clients]]\nclient_id = \"app\"\ntoken_endpoint_auth_method = \"tls_client_auth\"\n\
         tls_client_auth_subject_dn = \"CN=app,O=Vestibule Test\"\n\
         [[routes]]\npath = \"/.well-known/\"\nupstream = \"core\"\npolicy = {{ {rewrite} }}\n\
         [[routes]]\npath = \"/issuer/\"\nupstream = \"core\"\n\
         policy = {{ {rewrite}, advertise_certificate_bound_access_tokens = true }}\n\
         [[routes]]\npath = \"/as-it-is/\"\nupstream = \"core\"\npolicy = {{ verification = \"off\" }}\n\
         [[routes]]\npath = \"/token\"\nupstream = \"core\"\npolicy = {{ {clients}, self_signed_tls_client_auth = true }}\n\
         [[routes]]\npath = \"/introspect\"\nmethods = [\"POST\"]\nupstream = \"core\"\npolicy = {{ {clients} }}\n\
         [[rules]]\nname = \"packed\"\nphase = \"response\"\n\
         criteria = [[{{ variable = \"${{arg_pack}}\", operator = \"is_equal\", argument = \"1\" }}]]\n\
         behaviors = [{{ type = \"enable_gzip\" }}]\n"
    );
    let tenant = Tenant { top: top.to_owned(), tables, ..Tenant::default() };
    Bank { vestibule: Vestibule::start(&crate::bank::files(&[(tenant, upstream.url())])), upstream }
}

const ALIASES: &str = "enable_mtls_endpoint_aliases = true\n";

fn provider() -> Bank {
    bank(ALIASES, |received, stream| {
        let head = format!("content-type: application/json; charset=utf-8\r\netag: \"theirs\"\r\nlast-modified: x\r\n{CACHED}");
        let body = of_host(received.header("host")).to_string();
        if received.method == "HEAD" {
            let head = format!("HTTP/1.1 200 OK\r\n{head}content-length: {}\r\n\r\n", body.len());
            return stream.write_all(head.as_bytes()).is_ok();
        }
        reply(stream, &head, body.as_bytes())
    })
}

/// A server that answers with these bytes.
fn fixed(head: &str, body: &[u8]) -> Bank {
    let whole = [head.replace("LENGTH", &body.len().to_string()).as_bytes(), body].concat();
    bank(ALIASES, move |_, stream| stream.write_all(&whole).is_ok())
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: LENGTH\r\n\r\n";

fn counted(bank: &Bank, outcome: &str) -> u64 {
    bank.vestibule.counter(&format!("vestibule_oauth_metadata_total{{outcome=\"{outcome}\"}}"))
}

fn length(answer: &Answer) -> Option<usize> {
    answer.header("content-length").map(|length| length.parse().unwrap())
}

#[test]
fn clients_learn_of_the_mtls_host_under_every_name_and_path() {
    let bank = provider();
    let mtls = format!("mtls.{DOMAIN}");
    let mut seen = Vec::new();
    for (host, path) in [
        (DOMAIN, OPENID),
        (DOMAIN, OAUTH),
        (mtls.as_str(), OPENID),
        (&mtls, OAUTH),
        (DOMAIN, "/.well-known/oauth-authorization-server/issuer/1?x=y"),
        (DOMAIN, "/%2Ewell-known/openid-configuration"),
    ] {
        let answer = bank.vestibule.ask(Request::get(path).instead("Host", host).text());
        assert_eq!((answer.status, answer.complete), (200, true), "{path}");
        let document = answer.json();
        assert_eq!(
            document["mtls_endpoint_aliases"],
            json!({"token_endpoint": format!("https://{mtls}/token"), "introspection_endpoint": format!("https://{mtls}/introspect")})
        );
        assert_eq!(document["token_endpoint"], format!("https://{DOMAIN}/token"), "asked by its own name");
        let methods = ["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"];
        assert_eq!(document["token_endpoint_auth_methods_supported"], json!(methods));
        assert_eq!(document["introspection_endpoint_auth_methods_supported"], json!(methods[..2]));
        assert!(document.get("tls_client_certificate_bound_access_tokens").is_none());
        assert_eq!(length(&answer), Some(answer.body.len()));
        assert_eq!(answer.all("cache-control"), ["public, max-age=3600"]);
        assert_eq!(answer.header("last-modified"), None);
        assert_eq!(bank.upstream.take_one().header("x-forwarded-host"), DOMAIN);
        seen.push((answer.body, answer.headers.iter().find(|(name, _)| name == "etag").unwrap().1.clone()));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "one document, one tag");
    assert_ne!(seen[0].1, "\"theirs\"");
    assert_eq!(counted(&bank, "rewritten"), 6);
    let answer = bank.vestibule.ask(Request::get(&format!("/issuer{OPENID}")).text());
    assert_eq!(answer.json()["tls_client_certificate_bound_access_tokens"], true);
    for path in [&format!("/as-it-is{OPENID}"), "/.well-known/other", "/issuer/openid-configuration"] {
        bank.upstream.take();
        let answer = bank.vestibule.ask(Request::get(path).with("Accept-Encoding", "br").text());
        assert_eq!(answer.json(), of_host(DOMAIN), "{path}");
        assert_eq!(answer.header("etag"), Some("\"theirs\""));
        assert_eq!(bank.upstream.take_one().header("accept-encoding"), "br");
    }
}

#[test]
fn what_the_document_says_of_the_hosts_is_so() {
    let bank = provider();
    let document = bank.vestibule.ask(Request::get(OPENID).text()).json();
    bank.upstream.take();
    let app = person(&leaf("app"));
    let ask = |endpoint: &Value| {
        let url = endpoint.as_str().unwrap().strip_prefix("https://").unwrap();
        let (host, path) = url.split_once('/').unwrap();
        let request = Request::new("POST", &format!("/{path}")).instead("Host", host);
        let request = request.with("Content-Type", "application/x-www-form-urlencoded").body(b"client_id=app");
        bank.vestibule.ask(request.of(&app).text())
    };
    for endpoint in ["token_endpoint", "introspection_endpoint"] {
        assert_eq!(ask(&document["mtls_endpoint_aliases"][endpoint]).status, 200);
        assert_eq!(bank.upstream.take_one().header("x-vestibule-client-id"), "app");
        let answer = ask(&document[endpoint]);
        assert_eq!(bank.refused(&answer, 401), "oauth_client_refused");
        assert_eq!(answer.json()["error"], "invalid_client");
    }
}

#[test]
fn the_mtls_host_can_have_another_name() {
    let upstream = |received: &Received, stream: &mut std::net::TcpStream| {
        reply(stream, "content-type: application/json\r\n", of_host(received.header("host")).to_string().as_bytes())
    };
    let bank = bank(&format!("{ALIASES}mtls_host_prefix = \"mtls-\"\n"), upstream);
    let answer = bank.vestibule.ask(Request::get(OPENID).instead("Host", &format!("mtls-{DOMAIN}")).text());
    assert_eq!(answer.json()["mtls_endpoint_aliases"]["token_endpoint"], format!("https://mtls-{DOMAIN}/token"));
    bank.upstream.take();
    let usual = bank.vestibule.ask(Request::get(OPENID).instead("Host", &format!("mtls.{DOMAIN}")).text());
    assert_eq!(usual.status, 403);
    let post = |host: &str| {
        let request = Request::new("POST", "/token").instead("Host", host);
        let request = request.with("Content-Type", "application/x-www-form-urlencoded").body(b"client_id=app");
        bank.vestibule.ask(request.of(&person(&leaf("app"))).text()).status
    };
    assert_eq!((post(&format!("mtls-{DOMAIN}")), post(DOMAIN)), (200, 401));
}

#[test]
fn caches_get_tags_that_are_of_what_they_hold() {
    let bank = provider();
    let first = bank.vestibule.ask(Request::get(OPENID).text());
    let tag = first.header("etag").unwrap().to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"a\", {tag}"), "*".into()] {
        let answer = bank.vestibule.ask(Request::get(OPENID).with("If-None-Match", &known).text());
        assert_eq!((answer.status, answer.header("etag")), (304, Some(tag.as_str())), "{known}");
        assert_eq!(answer.all("cache-control"), ["public, max-age=3600"]);
        assert!(answer.body.is_empty() && length(&answer).is_none_or(|length| length == first.body.len()));
    }
    for other in ["\"theirs\"", "\"a\"", "x", ""] {
        let answer = bank.vestibule.ask(Request::get(OPENID).with("If-None-Match", other).text());
        assert_eq!((answer.status, &answer.body), (200, &first.body), "{other}");
    }
    // What would make the server send less than all of it never gets there.
    bank.upstream.take();
    let request = Request::get(OPENID).with("Range", "bytes=0-9").with("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT");
    let request = request.with("Accept-Encoding", "gzip").with("Accept_Encoding", "br").with("If-None-Match", "\"theirs\"");
    assert_eq!(bank.vestibule.ask(request.text()).body, first.body);
    let seen = bank.upstream.take_one();
    assert_eq!(seen.header("accept-encoding"), "identity");
    for gone in ["range", "if-modified-since", "if-none-match", "accept_encoding"] {
        assert_eq!(seen.header(gone), "", "{gone}");
    }
    // On one connection, so that what was said of lengths is what was sent.
    let mut client = bank.vestibule.connect();
    client.send(Request::new("HEAD", OPENID).text());
    let head = client.read_head();
    assert_eq!((head.status, head.header("etag"), length(&head)), (200, None, None));
    client.send(Request::get(OPENID).with("If-None-Match", &tag).text());
    assert_eq!(client.read_head().status, 304);
    assert_eq!(client.ask(Request::get(OPENID).text()).body, first.body);
    assert_eq!(counted(&bank, "head"), 1);
}

#[test]
fn rules_may_pack_what_was_changed() {
    let bank = provider();
    let plain = bank.vestibule.ask(Request::get(OPENID).text());
    let packed = bank.vestibule.ask(Request::get(&format!("{OPENID}?pack=1")).with("Accept-Encoding", "gzip").text());
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut text = Vec::new();
    std::io::copy(&mut flate2::read::GzDecoder::new(&*packed.body), &mut text).unwrap();
    assert_eq!(text, plain.body);
    assert_eq!(packed.header("etag").unwrap(), format!("W/{}", plain.header("etag").unwrap()));
}

#[test]
fn all_other_answers_pass_as_they_are() {
    let good = of_host(DOMAIN).to_string();
    let mut signed = of_host(DOMAIN);
    signed["signed_metadata"] = json!("e30.e30.e30");
    let mut foreign = of_host(DOMAIN);
    foreign["issuer"] = json!("https://other.example");
    let other = |from: &str, to: &str| OK.replace(from, to);
    let json = "content-type: application/json";
    for (head, body, outcome) in [
        (other("200 OK", "404 Not Found"), good.clone(), "other_status"),
        (other("200 OK", "500 Oops"), good.clone(), "other_status"),
        (other("200 OK", "203 Changed"), good.clone(), "other_status"),
        (other(json, "content-type: text/html"), good.clone(), "not_json"),
        (other(json, "content-type: application/jose+json"), good.clone(), "not_json"),
        (other(json, &format!("{json}\r\n{json}")), good.clone(), "not_json"),
        (other(json, "x-none: 1"), good.clone(), "not_json"),
        (other(json, &format!("{json}\r\ncontent-encoding: gzip")), "\u{1f}packed".into(), "packed"),
        (OK.to_owned(), "{\"issuer\": ".into(), "not_metadata"),
        (OK.to_owned(), "[1]".into(), "not_metadata"),
        (OK.to_owned(), String::new(), "not_metadata"),
        (OK.to_owned(), "[".repeat(200_000), "not_metadata"),
        (OK.to_owned(), signed.to_string(), "signed"),
        (OK.to_owned(), foreign.to_string(), "other_issuer"),
        (OK.to_owned(), format!("{good}{}", " ".repeat(256 * 1024)), "too_large"),
    ] {
        let bank = fixed(&head.replace("\r\n\r\n", "\r\netag: \"theirs\"\r\n\r\n"), body.as_bytes());
        let answer = bank.vestibule.ask(Request::get(OPENID).text());
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        assert_eq!((answer.status, answer.complete), (status, true), "{head}");
        assert!(answer.body == body.as_bytes(), "{head} {}", answer.body.len());
        assert_eq!((answer.header("etag"), length(&answer)), (Some("\"theirs\""), Some(body.len())), "{head}");
        assert_eq!(counted(&bank, outcome), 1, "{head}");
    }
}

#[test]
fn the_limit_holds_for_bodies_that_do_not_say_their_length() {
    const MOST: usize = 256 * 1024;
    let chunked = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let good = of_host(DOMAIN).to_string();
    for (size, outcome) in [(MOST, "rewritten"), (MOST + 1, "too_large"), (8 * MOST, "too_large")] {
        let body = format!("{good}{}", " ".repeat(size - good.len()));
        let mut sent = chunked.to_owned();
        for piece in body.as_bytes().chunks(7_000) {
            sent += &format!("{:x}\r\n{}\r\n", piece.len(), std::str::from_utf8(piece).unwrap());
        }
        let bank = fixed(&(sent + "0\r\n\r\n"), b"");
        let answer = bank.vestibule.ask(Request::get(OPENID).text());
        assert!(answer.status == 200 && answer.complete);
        assert_eq!(answer.json().get("mtls_endpoint_aliases").is_some(), outcome == "rewritten", "{size}");
        assert!(outcome == "rewritten" || answer.body == body.as_bytes(), "{size}");
        assert_eq!(counted(&bank, outcome), 1);
        let line = bank.vestibule.access_line(&answer);
        assert_eq!((&line["upstream.ending"], &line["bytes.out"]), (&json!("complete"), &json!(size)));
    }
}

#[test]
fn a_document_that_breaks_off_is_no_document() {
    for head in [
        OK.replace("LENGTH", "1000"),
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n".into(),
    ] {
        let bank = bank(ALIASES, move |_, stream| {
            stream.write_all(head.as_bytes()).unwrap();
            false
        });
        let answer = bank.vestibule.ask(Request::get(OPENID).text());
        assert_eq!(bank.vestibule.code(&answer), "upstream_invalid_response");
        assert_eq!(answer.status, 502);
    }
}

#[test]
fn one_who_sends_slowly_holds_up_nobody_else() {
    let started = Arc::new(std::sync::atomic::AtomicI64::new(0));
    let when = Arc::clone(&started);
    let bank = bank(ALIASES, move |received, stream| {
        if received.target != OPENID {
            return reply(stream, "content-type: text/plain\r\n", b"here");
        }
        when.store(now(), std::sync::atomic::Ordering::SeqCst);
        stream.write_all(OK.replace("LENGTH", "51").as_bytes()).unwrap();
        std::thread::sleep(std::time::Duration::from_secs(3));
        stream.write_all(b"{\"issuer\":\"https://other.example\",\"a\":\"0123456789\"}").is_ok()
    });
    let mut slow = bank.vestibule.connect();
    slow.send(Request::get(OPENID).text());
    while started.load(std::sync::atomic::Ordering::SeqCst) == 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    for _ in 0..8 {
        assert_eq!(bank.vestibule.ask(Request::get("/as-it-is/").text()).text(), "here");
    }
    assert_eq!(slow.read_answer().json()["issuer"], "https://other.example");
}
