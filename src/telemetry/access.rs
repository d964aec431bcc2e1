//! The access log: one JSON object a line, keys with dots, spelled once here.
//!
//! Lines are written by hand into a buffer of each worker: the line is on the way of every request. A buffer goes out when it
//! is full, every [`FLUSH_EVERY`], and at the end, when its worker may be gone already.

use std::cell::OnceCell;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::digits::{push_address, push_digits};

/// How long a line may wait in a buffer.
pub const FLUSH_EVERY: Duration = Duration::from_millis(100);
/// A buffer with as many bytes goes out at once.
const FLUSH_AT: usize = 16 * 1024;
/// Few lines are longer.
const LONG_LINE: usize = 4 * 1024;

/// Where access lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessTarget {
    /// To a file, appended.
    File(PathBuf),
    /// Nowhere.
    Off,
    /// To standard output.
    Stdout,
}

impl AccessTarget {
    /// Reads `stdout`, `off` or a path.
    pub fn parse(text: &str, folder: &Path) -> Self {
        match text {
            "stdout" => Self::Stdout,
            "off" => Self::Off,
            path => Self::File(folder.join(path)),
        }
    }
}

enum Sink {
    File(File),
    Stdout,
}

/// The access log, shared by all workers.
pub struct AccessLog {
    sink: Option<Sink>,
    /// Every worker's buffer, so that the last lines can be had when the workers have stopped.
    buffers: Mutex<Vec<Arc<Buffer>>>,
}

/// Lines that wait. Only its own worker and the end of the program take the lock.
type Buffer = Mutex<String>;

thread_local! {
    static BUFFER: OnceCell<Arc<Buffer>> = const { OnceCell::new() };
}

impl AccessLog {
    /// Opens the log.
    ///
    /// # Errors
    /// When the file cannot be opened for appending.
    pub fn open(target: &AccessTarget) -> io::Result<Arc<Self>> {
        let sink = match target {
            AccessTarget::Off => None,
            AccessTarget::Stdout => Some(Sink::Stdout),
            AccessTarget::File(path) => Some(Sink::File(OpenOptions::new().create(true).append(true).open(path)?)),
        };
        Ok(Arc::new(Self { sink, buffers: Mutex::default() }))
    }

    /// Writes a line into this worker's buffer.
    pub fn write(&self, line: &AccessLine<'_>) {
        let Some(sink) = &self.sink else { return };
        BUFFER.with(|own| {
            let mut buffer = lock(own.get_or_init(|| self.new_buffer()));
            line.write(&mut buffer);
            if buffer.len() >= FLUSH_AT {
                sink.take(&mut buffer);
            }
        });
    }

    /// Sends this worker's buffer out.
    pub fn flush(&self) {
        let Some(sink) = &self.sink else { return };
        BUFFER.with(|own| {
            if let Some(buffer) = own.get() {
                sink.take(&mut lock(buffer));
            }
        });
    }

    /// Sends every worker's buffer out.
    pub fn flush_all(&self) {
        let Some(sink) = &self.sink else { return };
        for buffer in lock(&self.buffers).iter() {
            sink.take(&mut lock(buffer));
        }
    }

    fn new_buffer(&self) -> Arc<Buffer> {
        let buffer = Arc::new(Mutex::new(String::with_capacity(FLUSH_AT + LONG_LINE)));
        lock(&self.buffers).push(Arc::clone(&buffer));
        buffer
    }
}

/// A panic elsewhere leaves whole lines and at most one that is cut off.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sink {
    /// Writes a buffer and empties it. A log that cannot be written does not stop requests.
    fn take(&self, buffer: &mut String) {
        if buffer.is_empty() {
            return;
        }
        let written = match self {
            Self::Stdout => io::stdout().lock().write_all(buffer.as_bytes()),
            Self::File(file) => (&*file).write_all(buffer.as_bytes()),
        };
        if let Err(why) = written {
            tracing::error!("access log: {why}");
        }
        buffer.clear();
    }
}

/// Everything that a line says. Absent values are left out.
#[derive(Debug, Default)]
pub struct AccessLine<'l> {
    /// When the request came, RFC 3339.
    pub time: &'l str,
    /// `request.id`.
    pub request_id: &'l str,
    /// `client.ip`.
    pub client_ip: Option<IpAddr>,
    /// `request.method`.
    pub method: &'l str,
    /// `request.path`: the target without its query, which may hold secrets.
    pub path: &'l str,
    /// `forward.domain`.
    pub domain: Option<&'l str>,
    /// `forward.key`: which of the domain's keys, from 0.
    pub key_position: Option<usize>,
    /// `forward.key_id`: the public name of that key, when the domain is a custom one.
    pub key_id: Option<&'l str>,
    /// `forward.origin_domain_name`: of a custom domain.
    pub origin: Option<&'l str>,
    /// `forward.keyid`: which key the request was signed with.
    pub keyid: Option<&'l str>,
    /// `tenant`.
    pub tenant: Option<&'l str>,
    /// `route`.
    pub route: Option<&'l str>,
    /// `cert.fingerprint`: SHA-256.
    pub fingerprint: Option<&'l [u8; 32]>,
    /// `cert.subject`.
    pub subject: Option<&'l str>,
    /// `cert.verify`.
    pub verify: Option<&'l str>,
    /// `cert.basis`: what a certificate passed by, `ca` or `thumbprint`.
    pub basis: Option<&'static str>,
    /// `cert.waived`.
    pub waived: &'l [&'static str],
    /// `cert.profile`: the profile of the verified issuer.
    pub profile: Option<&'l str>,
    /// `cert.profile_violations`: the codes of those that were only reported.
    pub profile_violations: &'l [&'static str],
    /// `consumer.id`: who it is to the tenant.
    pub consumer: Option<&'l str>,
    /// `consumer.username`.
    pub consumer_username: Option<&'l str>,
    /// `consumer.by`: what it was found by.
    pub consumer_by: Option<&'static str>,
    /// `consumer.credential`: the credential's identifier.
    pub credential: Option<&'l str>,
    /// `authenticated_group`: of a certificate that nobody was looked up for.
    pub authenticated_group: Option<&'l str>,
    /// `oauth.client_id`, `oauth.client_auth_method`, `oauth.client_source`, `oauth.token_iss`, `oauth.token_sub`; empty texts are left out.
    pub oauth: [(&'static str, &'l str); 5],
    /// `oauth.token_scope`.
    pub token_scope: &'l [String],
    /// `oauth.token_cnf`.
    pub token_cnf: &'l [&'static str],
    /// `forward.notes`: contradictions that were only reported.
    pub notes: &'l [String],
    /// `monitored`: what rules and verifications that are only watched would have done.
    pub monitored: &'l [String],
    /// `rule.answered`: the rule that answered.
    pub answered_by: Option<&'l str>,
    /// `decision`: `permit`, `refuse` or `answer`; `none` when the client left before there was one.
    pub decision: &'l str,
    /// `refusal.code`.
    pub refusal_code: Option<&'l str>,
    /// `refusal.cause`.
    pub refusal_cause: Option<&'l str>,
    /// `status`: what the client got; 499, nginx's number, when it left before there was an answer.
    pub status: u16,
    /// `upstream.name`.
    pub upstream: Option<&'l str>,
    /// `upstream.status`.
    pub upstream_status: Option<u16>,
    /// `upstream.ending`: how its body ended.
    pub upstream_ending: Option<&'static str>,
    /// `upstream.head_seconds`.
    pub upstream_head: Option<Duration>,
    /// `bytes.in` and `bytes.out`: the bodies.
    pub bytes: Option<(u64, u64)>,
    /// `duration_seconds`.
    pub duration: Duration,
}

impl AccessLine<'_> {
    fn write(&self, out: &mut String) {
        out.push_str("{\"time\":\"");
        out.push_str(self.time);
        out.push_str("\",\"request.id\":");
        push_string(out, self.request_id);
        if let Some(ip) = self.client_ip {
            out.push_str(",\"client.ip\":\"");
            push_address(out, ip);
            out.push('"');
        }
        text(out, "request.method", Some(self.method));
        text(out, "request.path", Some(self.path));
        text(out, "forward.domain", self.domain);
        number(out, "forward.key", self.key_position.map(|position| position as u64));
        text(out, "forward.key_id", self.key_id);
        text(out, "forward.origin_domain_name", self.origin);
        text(out, "forward.keyid", self.keyid);
        text(out, "tenant", self.tenant);
        text(out, "route", self.route);
        if let Some(fingerprint) = self.fingerprint {
            out.push_str(",\"cert.fingerprint\":\"");
            push_hex(out, fingerprint);
            out.push('"');
        }
        text(out, "cert.subject", self.subject);
        text(out, "cert.verify", self.verify);
        text(out, "cert.basis", self.basis);
        list(out, "cert.waived", self.waived);
        text(out, "cert.profile", self.profile);
        list(out, "cert.profile_violations", self.profile_violations);
        text(out, "consumer.id", self.consumer);
        text(out, "consumer.username", self.consumer_username);
        text(out, "consumer.by", self.consumer_by);
        text(out, "consumer.credential", self.credential);
        text(out, "authenticated_group", self.authenticated_group);
        for (name, value) in self.oauth {
            text(out, name, Some(value).filter(|value| !value.is_empty()));
        }
        list(out, "oauth.token_scope", self.token_scope);
        list(out, "oauth.token_cnf", self.token_cnf);
        list(out, "forward.notes", self.notes);
        list(out, "monitored", self.monitored);
        text(out, "decision", Some(self.decision));
        text(out, "rule.answered", self.answered_by);
        text(out, "refusal.code", self.refusal_code);
        text(out, "refusal.cause", self.refusal_cause);
        number(out, "status", Some(u64::from(self.status)));
        text(out, "upstream.name", self.upstream);
        number(out, "upstream.status", self.upstream_status.map(u64::from));
        text(out, "upstream.ending", self.upstream_ending);
        seconds(out, "upstream.head_seconds", self.upstream_head);
        number(out, "bytes.in", self.bytes.map(|(received, _)| received));
        number(out, "bytes.out", self.bytes.map(|(_, sent)| sent));
        seconds(out, "duration_seconds", Some(self.duration));
        out.push_str("}\n");
    }
}

fn key(out: &mut String, name: &str) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
}

fn text(out: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        key(out, name);
        push_string(out, value);
    }
}

fn number(out: &mut String, name: &str, value: Option<u64>) {
    if let Some(value) = value {
        key(out, name);
        push_digits(out, value, 1);
    }
}

fn seconds(out: &mut String, name: &str, value: Option<Duration>) {
    if let Some(value) = value {
        key(out, name);
        push_digits(out, value.as_secs(), 1);
        out.push('.');
        push_digits(out, u64::from(value.subsec_micros()), 6);
    }
}

fn list(out: &mut String, name: &str, values: &[impl AsRef<str>]) {
    if values.is_empty() {
        return;
    }
    key(out, name);
    for (at, value) in values.iter().enumerate() {
        out.push(if at == 0 { '[' } else { ',' });
        push_string(out, value.as_ref());
    }
    out.push(']');
}

fn push_hex(out: &mut String, bytes: &[u8; 32]) {
    let mut digits = [0; 64];
    if hex::encode_to_slice(bytes, &mut digits).is_ok() {
        out.push_str(std::str::from_utf8(&digits).unwrap_or_default());
    }
}

/// A JSON string (RFC 8259 §7).
fn push_string(out: &mut String, value: &str) {
    out.push('"');
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    // Without an early end the compiler takes many bytes at a time.
    if value.bytes().fold(true, |all, byte| all & plain(byte)) {
        out.push_str(value);
    } else {
        for c in value.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                c if u32::from(c) < 0x20 => {
                    let _ = write!(out, "\\u{:04x}", u32::from(c));
                }
                c => out.push(c),
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_one_json_object() {
        let line = AccessLine {
            time: "2026-01-01T00:00:00Z",
            request_id: "r1",
            client_ip: Some("2001:db8::1".parse().unwrap()),
            method: "GET",
            path: "/a\"b\\c\n",
            fingerprint: Some(&[0xab; 32]),
            waived: &["expired"],
            notes: &["x\ty".to_owned()],
            decision: "permit",
            status: 200,
            bytes: Some((1, 2)),
            duration: Duration::from_micros(1_500_001),
            ..AccessLine::default()
        };
        let mut out = String::new();
        line.write(&mut out);
        let value: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(out.lines().count(), 1);
        assert_eq!(value["request.path"], "/a\"b\\c\n");
        assert_eq!(value["cert.fingerprint"], "ab".repeat(32));
        assert_eq!(value["forward.notes"][0], "x\ty");
        assert_eq!(value["duration_seconds"], 1.500001);
        assert!(out.contains("\"duration_seconds\":1.500001"));
        assert!(value.get("tenant").is_none());
    }

    proptest! {
        #[test]
        fn any_text_is_a_json_string(text in any::<String>()) {
            let mut out = String::new();
            push_string(&mut out, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }
    }
}
