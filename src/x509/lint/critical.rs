//! Critical extensions (RFC 5280 §4.2): whoever does not process one must refuse the certificate.

use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::x509::qc_statements::QcStatements;

/// Those of RFC 5280 that decide about a path and that OpenSSL processes: names, uses, constraints, policies, where CRLs are. A
/// part of OpenSSL's own list, never more than that.
const PROCESSED: [&str; 10] = [
    "2.5.29.15",
    "2.5.29.17",
    "2.5.29.19",
    "2.5.29.30",
    "2.5.29.31",
    "2.5.29.32",
    "2.5.29.33",
    "2.5.29.36",
    "2.5.29.37",
    "2.5.29.54",
];
const QC_STATEMENTS: &str = "1.3.6.1.5.5.7.1.3";

/// Whether every critical extension is processed, or is a qcStatements that can be read to its end.
pub(crate) fn only_qc_statements_is_unprocessed(der: &[u8]) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(der) else { return false };
    let mut unprocessed = critical(&parsed).filter(|(oid, _)| !PROCESSED.contains(&oid.as_str())).peekable();
    unprocessed.peek().is_some() && unprocessed.all(|(oid, value)| oid == QC_STATEMENTS && QcStatements::parse(value).is_ok())
}

/// The first critical extension that nobody processes, dotted.
pub(crate) fn unprocessed_critical(der: &[u8]) -> Option<String> {
    let Ok((_, parsed)) = X509Certificate::from_der(der) else { return Some("that cannot be read".into()) };
    critical(&parsed).map(|(oid, _)| oid).find(|oid| !PROCESSED.contains(&oid.as_str()))
}

fn critical<'a>(parsed: &'a X509Certificate<'_>) -> impl Iterator<Item = (String, &'a [u8])> {
    let critical = parsed.extensions().iter().filter(|extension| extension.critical);
    critical.map(|extension| (extension.oid.to_id_string(), extension.value))
}
