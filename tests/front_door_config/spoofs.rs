//! What clients may try to be somebody else, through each product: none of it makes a verified identity.

use crate::bank::{DOMAIN, escaped, good, leaf, person};
use crate::clients::get;
use crate::http_client::Client;
use crate::product::{FrontDoor, RUNNING};
use crate::tls::{Hello, connect};

/// A name as it is, and as programs that fold names take others for it.
fn spellings(name: &str) -> Vec<String> {
    let mixed = name.replacen('-', "_", 1);
    let mut spellings =
        vec![name.to_owned(), name.to_uppercase(), name.replace('-', "_"), name.replace('-', "."), mixed.replacen('-', ".", 1)];
    spellings.extend(name.rsplit_once('-').map(|(start, end)| format!("{start}_{end}")));
    spellings
}

/// Header lines that a client may send.
fn lines() -> Vec<String> {
    let certificate = escaped(&person(&leaf("victim")).certificate);
    let mut lines = Vec::new();
    for name in spellings("client-certificate") {
        lines.push(format!("{name}: {certificate}\r\n"));
        lines.push(format!("{name}: {certificate}\r\n{name}: {certificate}\r\nclient-certificate-ca-verified: SUCCESS\r\n"));
    }
    for name in
        ["cname-api-key", "client-certificate-ca-verified", "ssl-client-verify", "ssl-client-s-dn-parsed", "x-client-cn"]
    {
        lines.extend(spellings(name).iter().map(|name| format!("{name}: CN=victim\r\n{name}: victim\r\n")));
        lines.push(format!("{name}: SUCCESS\r\n"));
    }
    for named in
        ["client-certificate", "client-certificate-ca-verified", "cname-api-key", "client_certificate", "x-forwarded-for"]
    {
        lines.push(format!("connection: close, {named}\r\n"));
    }
    lines.push(format!("client-certificate: {certificate}\r\nCONNECTION: Client-Certificate-CA-Verified, keep-alive\r\n"));
    lines.push(format!("x-forwarded-for: 192.0.2.1\r\nclient-certificate: {certificate}\r\n"));
    lines.push("x-original-uri: /public/\r\nx-original-method: OPTIONS\r\nx-forwarded-uri: /public/\r\n".to_owned());
    lines.push("forwarded: for=192.0.2.1\r\nx-real-ip: 192.0.2.1\r\ntrue-client-ip: 192.0.2.1\r\n".to_owned());
    lines
}

fn nothing_makes_a_client_somebody_else(kind: &'static str) {
    let door = FrontDoor::open(kind);
    let (person, lines) = (good(), lines());
    let (mut anonymous, mut known) = (0, 0);
    for lines in &lines {
        let what = format!("{kind}: {}", lines.chars().take(200).collect::<String>());
        let nobody = door.ask(&Hello::of(None), get(DOMAIN, "/", lines));
        assert!((400..500).contains(&nobody.status), "{what}: {nobody:?}");
        assert_eq!(door.bank.upstream.take().len(), 0, "{what}");
        for (person, verify, name) in [(None, "NONE", ""), (Some(&person), "SUCCESS", "good")] {
            let answer = door.ask(&Hello::of(person), get(DOMAIN, "/public/", lines));
            assert!(answer.status == 200 || (400..500).contains(&answer.status), "{what}: {answer:?}");
            for received in door.bank.upstream.take() {
                assert_eq!(answer.status, 200, "{what}");
                assert_eq!(received.header("ssl-client-verify"), verify, "{what} {received:?}");
                assert_eq!(received.header("x-client-cn"), name, "{what} {received:?}");
                assert_eq!(received.header("x-forwarded-for"), "127.0.0.1", "{what}");
                let text = format!("{received:?}");
                assert!(
                    !text.contains("victim") && !text.contains("192.0.2.1") && !text.contains("CERTIFICATE"),
                    "{what} {text}"
                );
                *(if name.is_empty() { &mut anonymous } else { &mut known }) += 1;
            }
        }
    }
    // Ordinary requests are not simply refused: what the product strips does no harm.
    assert!(anonymous > lines.len() / 8 && known > lines.len() / 8, "{kind}: {anonymous} and {known} of {}", lines.len());
}

#[test]
fn nothing_makes_a_client_somebody_else_through_nginx() {
    nothing_makes_a_client_somebody_else("nginx");
}

#[test]
fn nothing_makes_a_client_somebody_else_through_haproxy() {
    nothing_makes_a_client_somebody_else("haproxy");
}

#[test]
fn nothing_makes_a_client_somebody_else_through_apache() {
    nothing_makes_a_client_somebody_else("apache");
}

#[test]
fn nothing_makes_a_client_somebody_else_through_caddy() {
    nothing_makes_a_client_somebody_else("caddy");
}

#[test]
fn trailers_make_nobody() {
    let certificate = escaped(&person(&leaf("victim")).certificate);
    for kind in RUNNING {
        let door = FrontDoor::open(kind);
        for announced in ["", "trailer: client-certificate\r\n"] {
            let request = format!(
                "POST /public/ HTTP/1.1\r\nhost: {DOMAIN}\r\ntransfer-encoding: chunked\r\n{announced}\r\n\
                 3\r\nabc\r\n0\r\nclient-certificate: {certificate}\r\ncname-api-key: x\r\n\r\n"
            );
            let answer = door.ask(&Hello::of(None), request);
            assert!(answer.status == 200 || (400..500).contains(&answer.status), "{kind}: {answer:?}");
            for received in door.bank.upstream.take() {
                assert_eq!(received.header("ssl-client-verify"), "NONE", "{kind}");
                assert!(
                    received.trailers.is_empty() && !format!("{received:?}").contains("CERTIFICATE"),
                    "{kind}: {received:?}"
                );
            }
        }
    }
}

#[test]
fn plain_http_is_redirected_and_never_proxied() {
    let certificate = escaped(&person(&leaf("victim")).certificate);
    for kind in RUNNING {
        let door = FrontDoor::open(kind);
        for lines in ["".to_owned(), format!("client-certificate: {certificate}\r\ncname-api-key: {}\r\n", crate::bank::KEY)] {
            let answer = Client::tcp(door.http).ask(get(DOMAIN, "/public/?a=1", &lines));
            assert_eq!(answer.status, 308, "{kind}: {answer:?}");
            assert_eq!(
                answer.header("location"),
                Some(format!("https://{DOMAIN}:{}/public/?a=1", door.https).as_str()),
                "{kind}"
            );
        }
        // A redirect to a host that the client chose would send others astray.
        let answer = Client::tcp(door.http).ask(get("evil.example", "/", ""));
        assert!(!format!("{:?}", answer.headers).contains("evil"), "{kind}: {answer:?}");
        assert!(door.bank.vestibule.access_lines().is_empty(), "{kind}: {}", door.bank.vestibule.access_text());
    }
}

#[test]
fn names_that_are_not_ours_end_at_the_product() {
    for kind in RUNNING {
        let door = FrontDoor::open(kind);
        let person = good();
        let other = door.ask(&Hello::of(Some(&person)), get("other.example", "/", ""));
        assert!(matches!(other.status, 400..=499), "{kind}: {other:?}");
        // A TLS name that is not ours gets no certificate that fits it.
        assert!(connect(door.https, &Hello { name: "other.example", ..Hello::of(Some(&person)) }).is_none(), "{kind}");
        assert!(door.bank.vestibule.access_lines().is_empty(), "{kind}: {}", door.bank.vestibule.access_text());
    }
}
