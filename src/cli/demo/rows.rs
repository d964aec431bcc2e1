//! The demo's table: who asks for what, and how it must end.

use super::client::{Ask, Outcome, Said, ask};
use super::pki::Pki;
use super::site::Site;
use super::upstream::GREETING;
use super::{DOMAIN, OTHER_HOST};
use crate::x509::pem_text;

/// How a request must end.
#[derive(Clone, Copy)]
pub(super) enum Ending {
    /// The upstream gets it.
    Passed,
    /// With this code in the log.
    Refused(&'static str),
    /// With an alert whose text holds this.
    NoHandshake(&'static str),
}

use Ending::{NoHandshake, Passed, Refused};

impl Ending {
    /// Its words, as the table has them.
    pub(super) fn text(self) -> &'static str {
        match self {
            Passed => "passed",
            Refused(words) | NoHandshake(words) => words,
        }
    }
}

/// Client, path, ending.
pub(super) const CERTIFICATES: [(&str, &str, Ending); 19] = [
    ("good", "/", Passed),
    ("good", "/public/", Passed),
    ("contractor", "/", Passed),
    ("contractor", "/payments/1", Refused("denied_by_rule")),
    ("none", "/", Refused("certificate_required")),
    ("none", "/public/", Passed),
    ("expired", "/", Refused("certificate_expired")),
    ("expired", "/grace/", Passed),
    ("expired-forgery", "/", Refused("certificate_untrusted")),
    ("expired-forgery", "/grace/", Refused("certificate_untrusted")),
    ("expired-revoked", "/grace/", Refused("certificate_revoked")),
    ("not-yet-valid", "/", Refused("certificate_not_yet_valid")),
    ("revoked", "/", Refused("certificate_revoked")),
    ("revoked", "/public/", Refused("certificate_revoked")),
    ("server-only", "/", Refused("certificate_purpose")),
    ("wrong-ca", "/", Refused("certificate_untrusted")),
    ("wrong-ca", "/permissive/", Passed),
    ("self-signed", "/", Refused("certificate_untrusted")),
    ("self-signed", "/permissive/", Passed),
];

/// Name, what the client does, ending. A certificate is public: whoever has seen it can send it in a header.
pub(super) const ATTACKS: [(&str, Attack, Ending); 6] = [
    ("stolen header", Attack::Header("client-certificate"), Refused("certificate_required")),
    ("same, with _", Attack::Header("client_certificate"), Refused("certificate_required")),
    ("another's header", Attack::Header("x-forwarded-client-cert"), Refused("certificate_required")),
    ("another Host", Attack::Names { sni: Some(DOMAIN), host: OTHER_HOST }, Refused("sni_mismatch")),
    ("no server name", Attack::Names { sni: None, host: DOMAIN }, Refused("sni_mismatch")),
    ("unknown name", Attack::Names { sni: Some("other.example"), host: "other.example" }, NoHandshake("unrecognized name")),
];

/// What an attacker does.
#[derive(Clone, Copy)]
pub(super) enum Attack {
    /// Sends the good client's certificate in this header, and shows none.
    Header(&'static str),
    /// Shows the good client's certificate, under one name, and asks for another.
    Names { sni: Option<&'static str>, host: &'static str },
}

/// A line of the table.
pub(super) struct Row {
    pub(super) client: String,
    pub(super) path: String,
    pub(super) status: String,
    pub(super) decided: String,
    pub(super) saw: String,
    pub(super) why: String,
    pub(super) as_expected: bool,
}

/// The headers that the upstream must never get from a client here.
const NEVER: [&str; 3] = ["client-certificate:", "client_certificate:", "x-forwarded-client-cert:"];

/// Every request of [`CERTIFICATES`].
pub(super) fn certificate(site: &Site, pki: &Pki, client: &str, path: &str, ending: Ending) -> Row {
    let asked = Ask { sni: Some(DOMAIN), host: DOMAIN, path, headers: &[], client: pki.clients.get(client) };
    send(site, pki, client, &asked, ending)
}

/// Every request of [`ATTACKS`].
pub(super) fn attack(site: &Site, pki: &Pki, name: &str, attack: Attack, ending: Ending) -> Row {
    let good = pki.clients.get("good");
    match attack {
        Attack::Header(header) => {
            let der = good.and_then(|pair| pair.certificate.to_der().ok()).unwrap_or_default();
            let headers = [(header, pem_text::escaped(&der)), ("client-certificate-ca-verified", "SUCCESS".to_owned())];
            send(site, pki, name, &Ask { sni: Some(DOMAIN), host: DOMAIN, path: "/", headers: &headers, client: None }, ending)
        }
        Attack::Names { sni, host } => send(site, pki, name, &Ask { sni, host, path: "/", headers: &[], client: good }, ending),
    }
}

fn send(site: &Site, pki: &Pki, client: &str, asked: &Ask<'_>, ending: Ending) -> Row {
    let mut row = Row {
        client: client.to_owned(),
        path: asked.path.to_owned(),
        status: "-".to_owned(),
        decided: "-".to_owned(),
        saw: "-".to_owned(),
        why: "-".to_owned(),
        as_expected: false,
    };
    match ask(site.address(), &pki.server_ca, asked) {
        Err(why) => row.why = format!("no answer: {why}"),
        Ok(Outcome::HandshakeRefused(why)) => {
            row.decided = "no handshake".to_owned();
            row.as_expected = matches!(ending, NoHandshake(words) if why.contains(words));
            row.why = why;
        }
        Ok(Outcome::Answered(said)) => answered(site, &said, ending, &mut row),
    }
    row
}

fn answered(site: &Site, said: &Said, ending: Ending, row: &mut Row) {
    row.status.clone_from(&said.status);
    let line = site.access_line(&said.request_id).unwrap_or_default();
    let field = |key: &str| line.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
    if let Some(why) = field("refusal.cause") {
        row.why = why;
    }
    let received = said.body.strip_prefix(GREETING);
    row.decided = match (field("refusal.code"), received) {
        (Some(code), None) => code,
        (None, Some(_)) => "passed".to_owned(),
        _ => "unclear".to_owned(),
    };
    if let Some(received) = received {
        row.saw = summary(received);
        if received.lines().any(|line| NEVER.iter().any(|name| line.starts_with(name))) {
            row.decided = "LEAKED to the upstream".to_owned();
        }
    }
    row.as_expected = match ending {
        Passed => row.decided == "passed" && said.status == "200",
        Refused(code) => row.decided == code && !said.body.contains(code),
        NoHandshake(_) => false,
    };
}

/// The verdict and the common name that the upstream was told.
fn summary(received: &str) -> String {
    let header = |name: &str| received.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let subject = header("ssl-client-s-dn: ");
    let common_name = subject.split(',').find(|part| part.starts_with("CN=")).unwrap_or_default();
    format!("{} {common_name}", header("ssl-client-verify: ")).trim().to_owned()
}
