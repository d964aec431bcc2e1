//! Attacks by connections: other certificates, other names, other ways in.

use std::io;
use std::net::SocketAddr;

use openssl::ssl::SslVersion;

use super::client::{Reply, Tls};
use super::identity::Identity;
use super::mend::Check;
use super::prober::{Baseline, Prober};
use super::report::Report;
use super::target::Target;
use crate::clock::UnixTime;
use crate::front_door::{ContractHeader, VerdictDialect};
use crate::probe::Sight;

/// Bytes of certificates that some buffer or limit may not hold.
const SIZES: [usize; 8] = [9_000, 12_500, 16_000, 24_000, 36_000, 46_000, 52_000, 64_000];

/// The code of a certificate that came whole and is too long for Vestibule: every other one says that it was cut or emptied.
const TOO_LONG: &str = "certificate_header_too_large";

impl Prober<'_> {
    /// Good requests. None when Vestibule does not show what it sees: nothing else can be tried then.
    pub(super) fn baseline(&self, report: &mut Report) -> io::Result<Option<Baseline>> {
        let anonymous = match self.plain_request(false)? {
            Reply::Seen(sight) => *sight,
            other => {
                report.note(Check::Reach, "a request reaches Vestibule", Err(not_seen(&other)));
                return Ok(None);
            }
        };
        report.note(
            Check::Reach,
            "a request reaches Vestibule",
            Ok(format!("as `{}` of {}", anonymous.host, anonymous.front_door)),
        );
        report.note(Check::Anonymous, "no certificate is told as none", self.told_as_none(&anonymous));
        let name = "a certificate is forwarded whole";
        let known = match self.plain_request(true)? {
            Reply::Seen(sight) => self.forwarded(*sight, name, report)?,
            Reply::Other { status, .. } if status >= 400 => {
                report.not_tried(
                    name,
                    format!("the front door refuses it ({status}); give one that it takes with --client-certificate"),
                );
                None
            }
            Reply::Ended(why) => {
                report.not_tried(name, format!("{why}; give one that it takes with --client-certificate"));
                None
            }
            other => {
                report.note(Check::Forwarded, name, Err(not_seen(&other)));
                None
            }
        };
        Ok(Some(Baseline { anonymous, known }))
    }

    fn verdict_name(&self) -> Option<&str> {
        let mut headers = self.target.domain.contract().headers();
        headers.find(|(meaning, _)| *meaning == ContractHeader::Verdict).map(|(_, name)| name.as_str())
    }

    fn told_as_none(&self, sight: &Sight) -> Result<String, String> {
        if let Some(code) = &sight.refusal {
            return Err(format!("Vestibule refuses the certificate headers ({code})"));
        }
        if sight.certificate.is_some() {
            return Err("Vestibule saw a certificate that was not sent".to_owned());
        }
        let words = matches!(self.target.domain.front_door().format.verdict, VerdictDialect::Nginx | VerdictDialect::Apache);
        match self.verdict_name().filter(|_| words) {
            None => Ok("no certificate".to_owned()),
            Some(name) => match sight.contract_headers.get(name).map(String::as_str) {
                Some("NONE") => Ok(format!("`{name}` says NONE")),
                Some(other) => Err(format!("`{name}` says {other:?}")),
                None => Err(format!("`{name}` is missing: that cannot be told from its deletion")),
            },
        }
    }

    fn forwarded(&self, sight: Sight, name: &str, report: &mut Report) -> io::Result<Option<Sight>> {
        let sent = self.common.person.sha256()?;
        match &sight.certificate {
            Some(seen) if seen.sha256 == sent => {
                report.note(Check::Forwarded, name, Ok(format!("SHA-256 {sent}")));
                Ok(Some(sight))
            }
            Some(_) => {
                report.note(Check::Forwarded, name, Err("Vestibule saw another certificate".to_owned()));
                Ok(None)
            }
            None if sight.refusal.is_some() => {
                let code = sight.refusal.unwrap_or_default();
                report.note(Check::Forwarded, name, Err(format!("Vestibule refuses the certificate headers ({code})")));
                Ok(None)
            }
            None => {
                report
                    .not_tried(name, "no certificate arrives: this name asks for none, or the front door does not forward it");
                Ok(None)
            }
        }
    }

    /// What the front door and Vestibule say of a certificate that nobody knows, and of the operator's.
    pub(super) fn verdicts(&self, base: &Baseline, given: bool, report: &mut Report) -> io::Result<()> {
        let (unknown, own) = ("an unknown self-signed certificate is told as such", "your certificate is verified");
        if base.known.is_none() {
            report.not_tried(unknown, "no certificate arrives");
        } else {
            for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
                // Twice: a resumed session may say something else (Apache with TLS 1.2).
                let tls = Tls::new(self.common.ca, Some(self.common.victim), Some(version))?;
                let mut session = None;
                let mut found = Ok(String::new());
                for _ in 0..2 {
                    let request = self.request(&self.target.host, &self.target.authority, "", "")?;
                    let visit = tls.visit(self.target.address, &self.target.host, session.as_ref(), &request)?;
                    found = found.and(self.told_as_unknown(&visit.reply));
                    session = visit.session;
                }
                report.note(Check::Unknown, format!("{unknown} ({})", word(version)), found);
            }
        }
        match (given, &base.known) {
            (false, _) => report.not_tried(own, "give it with --client-certificate and --client-key"),
            (true, None) => report.not_tried(own, "it does not arrive"),
            (true, Some(sight)) if sight.is_verified() => report.note(Check::Given, own, Ok("SUCCESS".to_owned())),
            (true, Some(sight)) => {
                let verify =
                    sight.certificate.as_ref().and_then(|seen| seen.verify.clone()).unwrap_or("no CA to judge by".into());
                report.not_tried(own, format!("it arrives, and Vestibule says: {verify}"));
            }
        }
        Ok(())
    }

    fn told_as_unknown(&self, reply: &Reply) -> Result<String, String> {
        let Reply::Seen(sight) = reply else { return self.stopped(reply) };
        let verdict = self.verdict_name().and_then(|name| sight.contract_headers.get(name));
        if sight.is_verified() {
            return Err("Vestibule verified it".to_owned());
        }
        match verdict {
            Some(said) if said == "SUCCESS" => Err("the front door says SUCCESS".to_owned()),
            Some(said) => Ok(format!("the front door says {said:?}")),
            None => Ok("the front door says nothing, Vestibule does not verify it".to_owned()),
        }
    }

    /// What was refused, whoever refused it.
    fn stopped(&self, reply: &Reply) -> Result<String, String> {
        match reply {
            Reply::Seen(_) => Err("Vestibule took it".to_owned()),
            Reply::Vestibule(status) => Ok(format!("refused by Vestibule ({status})")),
            Reply::Other { status, .. } if *status >= 400 => Ok(format!("refused by the front door ({status})")),
            Reply::Other { status, .. } => Err(format!("an answer that is not Vestibule's ({status})")),
            Reply::Ended(why) => Ok(format!("refused: {why}")),
            Reply::Unreachable(why) => Err(format!("no connection: {why}")),
        }
    }

    /// Certificates that are too large must not become none.
    pub(super) fn oversize(&self, base: &Baseline, report: &mut Report) -> io::Result<()> {
        let name = "a large certificate never becomes none";
        if base.known.is_none() {
            report.not_tried(name, "no certificate arrives");
            return Ok(());
        }
        let (mut whole, mut refused) = (0, 0);
        for size in SIZES {
            let large = Identity::self_made("vestibule-probe", UnixTime::now(), size)?;
            let tls = Tls::new(self.common.ca, Some(&large), None)?;
            let request = self.request(&self.target.host, &self.target.authority, "", "")?;
            let reply = tls.visit(self.target.address, &self.target.host, None, &request)?.reply;
            let Reply::Seen(sight) = &reply else {
                if let Err(why) = self.stopped(&reply) {
                    report.note(Check::Oversize, name, Err(format!("with {size} bytes: {why}")));
                    return Ok(());
                }
                refused = refused.max(size);
                continue;
            };
            let arrived = sight.certificate.as_ref().map(|seen| seen.sha256.clone());
            let emptied = sight.refusal.as_deref().filter(|code| *code != TOO_LONG);
            if arrived == Some(large.sha256()?) {
                whole = whole.max(size);
            } else if arrived.is_some() || sight.refusal.is_none() {
                report.note(Check::Oversize, name, Err(format!("a certificate of {size} bytes arrived as none")));
                return Ok(());
            } else if emptied.is_none() {
                refused = refused.max(size);
            } else if let Some(code) = emptied {
                let why = format!("a certificate of {size} bytes arrived cut or empty; Vestibule refuses that ({code})");
                report.note(Check::Oversize, name, Err(why));
                return Ok(());
            }
        }
        let refused = if refused > 0 { format!(", refused up to {refused}") } else { String::new() };
        report.note(Check::Oversize, name, Ok(format!("whole up to {whole} bytes{refused}")));
        Ok(())
    }

    /// A handshake for this host, a request for another one.
    pub(super) fn other_hosts(&self, base: &Baseline, others: &[(&Target, &Baseline)], report: &mut Report) -> io::Result<()> {
        for (other, theirs) in others {
            let name = format!("a handshake for `{}`, a request for `{}`", self.target.host, other.host);
            let request = self.request(&other.host, &other.authority, "", "")?;
            let reply = self.common.known.visit(self.target.address, &self.target.host, None, &request)?.reply;
            report.note(Check::OtherHost, name, self.crossed(&reply, base, theirs));
        }
        let name = format!("a handshake for `{}`, a request for an unknown host", self.target.host);
        let request = self.request("unknown.invalid", "unknown.invalid", "", "")?;
        report.note(Check::OtherHost, name, self.stopped(&self.send(true, &request)?));
        Ok(())
    }

    /// Between names of one domain that both ask for a certificate, or both do not, nothing is crossed.
    fn crossed(&self, reply: &Reply, base: &Baseline, theirs: &Baseline) -> Result<String, String> {
        let same = base.anonymous.domain == theirs.anonymous.domain && base.known.is_some() == theirs.known.is_some();
        match reply {
            Reply::Seen(sight) if sight.certificate.is_none() && theirs.known.is_none() => {
                Ok("taken, as from anybody: no certificate where none is asked for".to_owned())
            }
            Reply::Seen(_) if same => Ok("taken; both names are one domain with the same rules".to_owned()),
            Reply::Seen(sight) => Err(format!("taken for `{}`", sight.host)),
            other => self.stopped(other),
        }
    }

    /// A session that was made with a certificate on this host, offered to another one.
    pub(super) fn resume(&self, base: &Baseline, others: &[(&Target, &Baseline)], report: &mut Report) -> io::Result<()> {
        let name = format!("a TLS session of `{}` resumed elsewhere", self.target.host);
        if base.known.is_none() {
            report.not_tried(name, "no certificate arrives here that a session could keep");
            return Ok(());
        }
        if others.is_empty() {
            report.not_tried(name, "give the URL of another host as well");
            return Ok(());
        }
        for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
            for (other, theirs) in others {
                let name = format!("a TLS session of `{}` resumed on `{}` ({})", self.target.host, other.host, word(version));
                let tls = Tls::new(self.common.ca, Some(self.common.person), Some(version))?;
                let request = self.request(&self.target.host, &self.target.authority, "", "")?;
                let Some(session) = tls.visit(self.target.address, &self.target.host, None, &request)?.session else {
                    report.not_tried(name, "there is no session to resume");
                    continue;
                };
                let request = self.request(&other.host, &other.authority, "", "")?;
                let visit = tls.visit(other.address, &other.host, Some(&session), &request)?;
                let found = match &visit.reply {
                    // Where certificates are asked for, the handshake itself brought it.
                    Reply::Seen(sight) if sight.certificate.is_some() && theirs.known.is_none() => {
                        Err("the certificate arrives where none is asked for".to_owned())
                    }
                    Reply::Seen(_) if visit.resumed && base.anonymous.domain != theirs.anonymous.domain => {
                        Err("resumed by another domain".to_owned())
                    }
                    Reply::Seen(_) if visit.resumed => Ok("resumed; no certificate where none is asked for".to_owned()),
                    Reply::Seen(_) => Ok("not resumed".to_owned()),
                    other => self.stopped(other),
                };
                report.note(Check::Resumed, name, found);
            }
        }
        Ok(())
    }

    /// Plain HTTP is redirected to us or refused.
    pub(super) fn plain_http(&self, at: SocketAddr, report: &mut Report) -> io::Result<()> {
        let mut found = Ok(String::new());
        let every: String = self.forgeries()?.iter().map(|one| format!("{}: {}\r\n", one.name, one.value)).collect();
        for lines in ["", &every] {
            found = found.and(match self.without_tls(at, lines)? {
                Reply::Seen(_) => Err("it reached Vestibule, which took it".to_owned()),
                Reply::Vestibule(status) => Err(format!("it reached Vestibule, which refused it ({status})")),
                Reply::Other { status: 301 | 302 | 303 | 307 | 308, location } => {
                    let here = format!("https://{}/", self.target.authority);
                    match location.filter(|location| location.starts_with(&here)) {
                        Some(_) => Ok(format!("redirected to {here}")),
                        None => Err("redirected, but not to https:// of this host".to_owned()),
                    }
                }
                Reply::Other { status, .. } if status >= 400 => Ok(format!("refused ({status})")),
                Reply::Other { status, .. } => Err(format!("answered with {status}")),
                Reply::Ended(why) => Ok(format!("refused: {why}")),
                Reply::Unreachable(why) => Ok(format!("nobody listens: {why}")),
            });
        }
        report.note(Check::PlainHttp, "plain HTTP", found);
        Ok(())
    }

    /// Vestibule itself, past the front door.
    pub(super) fn direct(&self, at: SocketAddr, report: &mut Report) -> io::Result<()> {
        let mut found = Ok(String::new());
        let every: String = self.forgeries()?.iter().map(|one| format!("{}: {}\r\n", one.name, one.value)).collect();
        for lines in ["", &every] {
            found = found.and(match self.without_tls(at, lines)? {
                Reply::Unreachable(why) => Ok(format!("cannot be reached: {why}")),
                Reply::Seen(_) => Err("Vestibule took a request that no front door sent".to_owned()),
                Reply::Vestibule(status) => {
                    Ok(format!("reachable, and refused ({status}): only the proof keeps others out, the network does not"))
                }
                other => self.stopped(&other),
            });
        }
        report.note(Check::Direct, "Vestibule past the front door", found);
        Ok(())
    }
}

/// What came instead of a sight.
fn not_seen(reply: &Reply) -> String {
    match reply {
        Reply::Seen(_) => "a sight".to_owned(),
        Reply::Vestibule(status) => format!("Vestibule refuses it ({status})"),
        Reply::Other { status, .. } => format!("Vestibule does not show what it saw: the answer is {status}"),
        Reply::Ended(why) => why.clone(),
        Reply::Unreachable(why) => format!("no connection: {why}"),
    }
}

fn word(version: SslVersion) -> &'static str {
    if version == SslVersion::TLS1_2 { "TLS 1.2" } else { "TLS 1.3" }
}
