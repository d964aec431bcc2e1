//! Where a certificate says that its status can be had: authorityInfoAccess and cRLDistributionPoints (RFC 5280 §4.2.2.1,
//! §4.2.1.13). The certificate's own words: whoever fetches decides whether to go there.

use openssl::x509::X509Ref;

use super::der::{self, DerError, Reader, tag};
use super::tbs;

/// Content octets of 1.3.6.1.5.5.7.1.1, authorityInfoAccess.
const AUTHORITY_INFO_ACCESS: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01];
/// Content octets of 1.3.6.1.5.5.7.48.1, id-ad-ocsp.
const OCSP: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01];
/// Content octets of 2.5.29.31, cRLDistributionPoints.
const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1D, 0x1F];
/// uniformResourceIdentifier among GeneralNames.
const URI: u8 = tag::context_primitive(6);

/// Of each kind. A certificate that names more hopes that we knock at every door.
const MOST: usize = 4;
/// Octets.
const LONGEST: usize = 1024;

/// What a certificate names: `http` and `https` URIs of printable ASCII without spaces, in its order, each once, at most four
/// of a kind and of at most 1,024 octets. What is not like this is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RevocationSources {
    /// OCSP responders: accessMethod id-ad-ocsp.
    pub ocsp: Vec<String>,
    /// Complete lists of the issuer's own: the fullName of distribution points without reasons and without cRLIssuer.
    pub crl: Vec<String>,
}

impl RevocationSources {
    /// Reads a certificate. An extension that is not strict DER, or stands twice, names nothing.
    pub fn read(cert: &X509Ref) -> Self {
        let Ok(der) = cert.to_der() else { return Self::default() };
        let Ok(fields) = tbs::Fields::read(&der) else { return Self::default() };
        let named_by = |oid, read: Read| {
            let mut found = fields.extensions.iter().filter(|extension| extension.oid == oid);
            match (found.next(), found.next()) {
                (Some(extension), None) => usable(read(extension.value).unwrap_or_default()),
                _ => Vec::new(),
            }
        };
        Self { ocsp: named_by(AUTHORITY_INFO_ACCESS, responders), crl: named_by(CRL_DISTRIBUTION_POINTS, distribution_points) }
    }
}

/// Reads an extension's value for URIs.
type Read = for<'a> fn(&'a [u8]) -> Result<Vec<&'a [u8]>, DerError>;

fn responders(value: &[u8]) -> Result<Vec<&[u8]>, DerError> {
    let (mut found, mut list) = (Vec::new(), Reader::new(der::single(value, tag::SEQUENCE)?.content));
    while !list.is_empty() {
        let mut description = Reader::new(list.expect(tag::SEQUENCE)?.content);
        let method = description.expect(tag::OID)?.content;
        let location = description.any()?;
        description.finish()?;
        if method == OCSP && location.tag == URI {
            found.push(location.content);
        }
    }
    Ok(found)
}

fn distribution_points(value: &[u8]) -> Result<Vec<&[u8]>, DerError> {
    let (mut found, mut points) = (Vec::new(), Reader::new(der::single(value, tag::SEQUENCE)?.content));
    while !points.is_empty() {
        let mut point = Reader::new(points.expect(tag::SEQUENCE)?.content);
        let name = point.optional(tag::context_constructed(0))?;
        let reasons = point.optional(tag::context_primitive(1))?;
        let crl_issuer = point.optional(tag::context_constructed(2))?;
        point.finish()?;
        let (Some(name), None, None) = (name, reasons, crl_issuer) else { continue };
        let mut name = Reader::new(name.content);
        // The other alternative is a name relative to the issuer's, which is no address.
        let Some(full_name) = name.optional(tag::context_constructed(0))? else { continue };
        name.finish()?;
        let mut names = Reader::new(full_name.content);
        while !names.is_empty() {
            let general = names.any()?;
            if general.tag == URI {
                found.push(general.content);
            }
        }
    }
    Ok(found)
}

fn usable(uris: Vec<&[u8]>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for uri in uris.into_iter().filter(|uri| uri.len() <= LONGEST && uri.iter().all(u8::is_ascii_graphic)) {
        let Ok(text) = std::str::from_utf8(uri) else { continue };
        if has_scheme(text) && kept.iter().all(|known| known != text) {
            kept.push(text.to_owned());
        }
    }
    kept.truncate(MOST);
    kept
}

/// RFC 3986 §3.1: schemes have no case.
fn has_scheme(text: &str) -> bool {
    ["http://", "https://"].into_iter().any(|scheme| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)) && text.len() > scheme.len()
    })
}
