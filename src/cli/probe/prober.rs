//! Asks one host, and compares what came of an attack with what came of a good request.

use std::io;

use openssl::x509::X509;

use super::client::{Reply, Tls, Visit, plain};
use super::identity::Identity;
use super::target::Target;
use crate::clock::UnixTime;
use crate::front_door::ContractHeader;
use crate::front_door_config::Product;
use crate::probe::{Probe, Sight, TOKEN_HEADER};

/// What all hosts have in common.
pub(super) struct Common<'a> {
    pub(super) probe: &'a Probe,
    pub(super) ca: &'a [X509],
    /// Whose certificate is sent: the operator's, or one that the probe made.
    pub(super) person: &'a Identity,
    /// Whose certificate is forged.
    pub(super) victim: &'a Identity,
    pub(super) anonymous: Tls,
    pub(super) known: Tls,
}

/// One host.
pub(super) struct Prober<'a> {
    pub(super) common: &'a Common<'a>,
    pub(super) target: &'a Target,
    pub(super) product: Product,
}

/// What is seen of good requests.
pub(super) struct Baseline {
    pub(super) anonymous: Sight,
    /// None when no certificate arrives: the name asks for none.
    pub(super) known: Option<Sight>,
}

/// Who must stop what Vestibule would stop as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopper {
    /// The front door: that it got to Vestibule is a failure.
    FrontDoor,
    /// Either.
    Anybody,
}

/// What an attack adds to a request.
pub(super) struct Attack<'a> {
    /// What it is, for the report.
    pub(super) what: &'a str,
    /// Header lines, each with its end.
    pub(super) lines: &'a str,
    /// What `Connection` names beside `close`.
    pub(super) nominated: &'a str,
    pub(super) stopper: Stopper,
}

/// The address that forgeries claim (RFC 5737).
pub(super) const FORGED_ADDRESS: &str = "192.0.2.77";

impl Prober<'_> {
    /// A fresh token for a host.
    pub(super) fn token(&self, host: &str) -> io::Result<String> {
        self.common.probe.mint(host, UnixTime::now()).map_err(|why| io::Error::other(why.to_string()))
    }

    /// A request for the probe's path with a token for a host.
    pub(super) fn request(&self, host: &str, authority: &str, nominated: &str, lines: &str) -> io::Result<String> {
        let (path, token) = (self.common.probe.path(), self.token(host)?);
        Ok(format!(
            "GET {path} HTTP/1.1\r\nhost: {authority}\r\n{TOKEN_HEADER}: {token}\r\nconnection: close{nominated}\r\n{lines}\r\n"
        ))
    }

    fn tls(&self, known: bool) -> &Tls {
        if known { &self.common.known } else { &self.common.anonymous }
    }

    /// Sends a request as it is.
    pub(super) fn send(&self, known: bool, request: &str) -> io::Result<Reply> {
        let visit: Visit = self.tls(known).visit(self.target.address, &self.target.host, None, request)?;
        Ok(visit.reply)
    }

    /// A request without any attack.
    pub(super) fn plain_request(&self, known: bool) -> io::Result<Reply> {
        self.send(known, &self.request(&self.target.host, &self.target.authority, "", "")?)
    }

    /// Sends an attack, without a certificate and with one. What was seen, or what went wrong.
    pub(super) fn attack(&self, base: &Baseline, attack: &Attack<'_>) -> io::Result<Result<String, String>> {
        let mut seen = Vec::new();
        for (who, base) in [("without a certificate", Some(&base.anonymous)), ("with a certificate", base.known.as_ref())] {
            let Some(base) = base else { continue };
            let request = self.request(&self.target.host, &self.target.authority, attack.nominated, attack.lines)?;
            match self.judge(&self.send(base.certificate.is_some(), &request)?, base, attack.stopper) {
                Ok(how) => seen.push(how),
                Err(why) => return Ok(Err(format!("{}, {who}: {why}", attack.what))),
            }
        }
        seen.dedup();
        Ok(Ok(seen.join(", ")))
    }

    /// Attacks that are one check. What was seen of all, or the first that went wrong.
    pub(super) fn attacks(&self, base: &Baseline, attacks: &[Attack<'_>]) -> io::Result<Result<String, String>> {
        let mut seen: Vec<String> = Vec::new();
        for attack in attacks {
            match self.attack(base, attack)? {
                Ok(how) if seen.contains(&how) => {}
                Ok(how) => seen.push(how),
                Err(why) => return Ok(Err(why)),
            }
        }
        Ok(Ok(seen.join(", ")))
    }

    /// Whether an attack changed nothing of what a good request shows.
    pub(super) fn judge(&self, reply: &Reply, base: &Sight, stopper: Stopper) -> Result<String, String> {
        match reply {
            Reply::Seen(sight) => match self.difference(sight, base) {
                None => Ok("no effect".to_owned()),
                Some(what) => Err(what),
            },
            Reply::Vestibule(status) if stopper == Stopper::FrontDoor => {
                Err(format!("it reached Vestibule, which refused it ({status})"))
            }
            Reply::Vestibule(status) => Ok(format!("passed on, refused by Vestibule ({status})")),
            Reply::Other { status, .. } if *status >= 400 => Ok(format!("refused by the front door ({status})")),
            Reply::Other { status, .. } => Err(format!("an answer that is not Vestibule's ({status})")),
            Reply::Ended(why) => Ok(format!("refused: {why}")),
            Reply::Unreachable(why) => Err(format!("no connection: {why}")),
        }
    }

    /// What an attack changed.
    fn difference(&self, sight: &Sight, base: &Sight) -> Option<String> {
        if sight.certificate != base.certificate {
            let victim = self.common.victim.sha256().ok();
            return Some(match &sight.certificate {
                Some(seen) if Some(&seen.sha256) == victim.as_ref() => "Vestibule saw the forged certificate".to_owned(),
                Some(_) => "Vestibule saw another certificate".to_owned(),
                None => "Vestibule saw no certificate".to_owned(),
            });
        }
        for (what, saw, good) in [
            ("domain", &sight.domain, &base.domain),
            ("host", &sight.host, &base.host),
            ("client address", &sight.client_address, &base.client_address),
        ] {
            if saw != good {
                return Some(format!("Vestibule saw the {what} `{saw}` instead of `{good}`"));
            }
        }
        if let (Some(code), None) = (&sight.refusal, &base.refusal) {
            return Some(format!("it reached Vestibule, which refuses it ({code})"));
        }
        self.changed_header(sight, base)
    }

    fn changed_header(&self, sight: &Sight, base: &Sight) -> Option<String> {
        for (meaning, name) in self.target.domain.contract().headers() {
            let (saw, good) = (sight.contract_headers.get(name.as_str()), base.contract_headers.get(name.as_str()));
            // Each request has its own.
            let own = meaning == ContractHeader::RequestId && saw.is_none_or(|saw| !saw.starts_with("forged"));
            if saw != good && !(own && saw.is_some() == good.is_some()) {
                let shown = saw.map_or("nothing", String::as_str);
                return Some(format!("Vestibule saw `{name}` with {shown:?}"));
            }
        }
        None
    }

    /// Sends a request to an address without TLS.
    pub(super) fn without_tls(&self, at: std::net::SocketAddr, lines: &str) -> io::Result<Reply> {
        Ok(plain(at, &self.request(&self.target.host, &self.target.host, "", lines)?))
    }
}
