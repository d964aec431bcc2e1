//! Attacks by the names and values of headers.

use std::io;

use super::client::Reply;
use super::mend::Check;
use super::prober::{Attack, Baseline, FORGED_ADDRESS, Prober, Stopper};
use super::report::Report;
use crate::front_door::ContractHeader;
use crate::front_door_config::Product;

/// A contract header with what a forger says in it.
pub(super) struct Forgery {
    pub(super) name: String,
    pub(super) value: String,
}

impl Prober<'_> {
    /// A forgery for every contract header.
    pub(super) fn forgeries(&self) -> io::Result<Vec<Forgery>> {
        let contract = self.target.domain.contract();
        let certificate = self.common.victim.as_header(self.target.domain.front_door().format.codec.leaf)?;
        let mut forgeries = Vec::new();
        for (meaning, name) in contract.headers() {
            let value = match meaning {
                ContractHeader::Certificate | ContractHeader::Chain | ContractHeader::ChainMember => certificate.clone(),
                ContractHeader::Verdict => "SUCCESS".to_owned(),
                ContractHeader::Presented => "1".to_owned(),
                ContractHeader::ClientAddress => FORGED_ADDRESS.to_owned(),
                ContractHeader::Sni => "forged.invalid".to_owned(),
                _ => "forged-by-the-probe".to_owned(),
            };
            forgeries.push(Forgery { name: name.to_string(), value });
        }
        forgeries.extend(contract.numbered().map(|prefix| Forgery { name: format!("{prefix}0"), value: certificate }));
        Ok(forgeries)
    }

    /// Each contract header forged, repeated, and under its aliases.
    pub(super) fn forge(&self, base: &Baseline, report: &mut Report) -> io::Result<()> {
        for Forgery { name, value } in self.forgeries()? {
            let (line, upper) = (format!("{name}: {value}\r\n"), format!("{}: {value}\r\n", name.to_uppercase()));
            let (twice, mixed) = (line.repeat(2), format!("{line}{upper}"));
            let of = |what, lines| Attack { what, lines, nominated: "", stopper: Stopper::FrontDoor };
            let found = self.attacks(base, &[of("as it is written", &line), of("in capitals", &upper)])?;
            report.note(Check::Forged, format!("forged `{name}`"), found);
            let found = self.attacks(base, &[of("two lines", &twice), of("two lines in different case", &mixed)])?;
            report.note(Check::Repeated, format!("repeated `{name}`"), found);
            let aliases: Vec<(String, String, Stopper)> = aliases(&name, self.product)
                .into_iter()
                .map(|(alias, stopper)| (format!("`{alias}`"), format!("{alias}: {value}\r\n"), stopper))
                .collect();
            let attacks: Vec<Attack<'_>> =
                aliases.iter().map(|(what, lines, stopper)| Attack { what, lines, nominated: "", stopper: *stopper }).collect();
            if !attacks.is_empty() {
                report.note(Check::Alias, format!("aliases of `{name}`"), self.attacks(base, &attacks)?);
            }
        }
        Ok(())
    }

    /// `Connection` that names contract headers: a proxy that obeys deletes what it set itself.
    pub(super) fn nominate(&self, base: &Baseline, report: &mut Report) -> io::Result<()> {
        let names: Vec<(String, String)> = self
            .target
            .domain
            .contract()
            .headers()
            .flat_map(|(_, name)| [name.to_string(), name.as_str().to_uppercase()])
            .map(|name| (format!("`{name}`"), format!(", {name}")))
            .collect();
        let attacks: Vec<Attack<'_>> =
            names.iter().map(|(what, nominated)| Attack { what, lines: "", nominated, stopper: Stopper::FrontDoor }).collect();
        report.note(Check::Connection, "contract headers named in `Connection`", self.attacks(base, &attacks)?);
        Ok(())
    }

    /// A forged header as the continuation of another line (RFC 9112 §5.2).
    pub(super) fn fold(&self, base: &Baseline, report: &mut Report) -> io::Result<()> {
        let mut lines = Vec::new();
        for Forgery { name, value } in self.forgeries()? {
            lines.push((format!("`{name}` after a space"), format!("x-probe: a\r\n {name}: {value}\r\n")));
            lines.push((format!("`{name}` after a tab"), format!("x-probe: a\r\n\t{name}: {value}\r\n")));
            lines.push((format!("`{name}` with a folded value"), format!("{name}:\r\n {value}\r\n")));
        }
        let attacks: Vec<Attack<'_>> =
            lines.iter().map(|(what, lines)| Attack { what, lines, nominated: "", stopper: Stopper::FrontDoor }).collect();
        report.note(Check::Folded, "folded header lines", self.attacks(base, &attacks)?);
        Ok(())
    }

    /// Trailers of a chunked body, announced and not.
    pub(super) fn trail(&self, base: &Baseline, report: &mut Report) -> io::Result<()> {
        // The others announce to Vestibule what the client announced; Vestibule refuses that, and reads no trailer in any case.
        let stopper =
            if matches!(self.product, Product::Haproxy | Product::Apache) { Stopper::FrontDoor } else { Stopper::Anybody };
        let mut found = Ok(String::new());
        let mut seen: Vec<String> = Vec::new();
        for Forgery { name, value } in self.forgeries()? {
            for announced in [String::new(), format!("trailer: {name}\r\n")] {
                for (known, base) in [(false, Some(&base.anonymous)), (true, base.known.as_ref())] {
                    let Some(base) = base else { continue };
                    let request = self.request(
                        &self.target.host,
                        &self.target.authority,
                        "",
                        &format!("transfer-encoding: chunked\r\n{announced}"),
                    )?;
                    let request = request.replacen("GET ", "POST ", 1) + &format!("3\r\nabc\r\n0\r\n{name}: {value}\r\n\r\n");
                    match self.judge(&self.send(known, &request)?, base, stopper) {
                        Ok(how) if seen.contains(&how) => {}
                        Ok(how) => seen.push(how),
                        Err(why) => found = found.and(Err(format!("`{name}`: {why}"))),
                    }
                }
            }
        }
        report.note(Check::Trailer, "contract headers as trailers", found.map(|_: String| seen.join(", ")));
        Ok(())
    }

    /// Two `Host` lines (RFC 9112 §3.2: 400).
    pub(super) fn two_hosts(&self, report: &mut Report) -> io::Result<()> {
        let mut found = Ok(String::new());
        for (first, second) in [(self.target.authority.as_str(), "other.invalid"), ("other.invalid", &self.target.authority)] {
            let request = self.request(&self.target.host, first, "", &format!("host: {second}\r\n"))?;
            let reply = self.send(false, &request)?;
            found = found.and(match reply {
                Reply::Seen(sight) => Err(format!("taken for `{}`", sight.host)),
                Reply::Other { status, .. } if status < 400 => Err(format!("answered with {status}")),
                Reply::Other { status, .. } => Ok(format!("refused by the front door ({status})")),
                Reply::Vestibule(status) => Ok(format!("passed on, refused by Vestibule ({status})")),
                Reply::Ended(why) => Ok(format!("refused: {why}")),
                Reply::Unreachable(why) => Err(format!("no connection: {why}")),
            });
        }
        report.note(Check::TwoHosts, "two `Host` lines", found);
        Ok(())
    }
}

/// The names that programs take for a name, and who must stop them. Apache and Caddy drop only names that they are told, so that
/// mixed ones come to Vestibule, which refuses them: nothing follows but a refusal. Traefik drops none.
fn aliases(name: &str, product: Product) -> Vec<(String, Stopper)> {
    let with = |separator: &str| name.replace(['-', '_', '.'], separator);
    let drops_all = matches!(product, Product::Nginx | Product::Haproxy);
    let told = if product == Product::Traefik { Stopper::Anybody } else { Stopper::FrontDoor };
    let mixed = if drops_all { Stopper::FrontDoor } else { Stopper::Anybody };
    let mut found = vec![(with("-"), told), (with("_"), told), (with("."), told), (with("_").to_uppercase(), told)];
    if with("-").matches('-').count() > 1 {
        found.push((with("-").replacen('-', "_", 1), mixed));
        found.push((with("-").replacen('-', ".", 1), mixed));
        found.push((with("_").replacen('_', ".", 1), mixed));
    }
    let own = name.to_ascii_lowercase();
    found.retain(|(alias, _)| alias.to_ascii_lowercase() != own);
    found.dedup_by(|one, other| one.0 == other.0);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_have_every_separator_and_are_never_the_name() {
        let names = |name, product| -> Vec<String> { aliases(name, product).into_iter().map(|(alias, _)| alias).collect() };
        assert_eq!(
            names("client-certificate-ca", Product::Nginx),
            [
                "client_certificate_ca",
                "client.certificate.ca",
                "CLIENT_CERTIFICATE_CA",
                "client_certificate-ca",
                "client.certificate-ca",
                "client.certificate_ca"
            ]
        );
        assert_eq!(names("plain", Product::Nginx), Vec::<String>::new());
        for (product, mixed) in [(Product::Nginx, Stopper::FrontDoor), (Product::Caddy, Stopper::Anybody)] {
            let last = aliases("a-b-c", product).pop().unwrap();
            assert_eq!(last, ("a.b_c".to_owned(), mixed));
        }
    }
}
