//! `vestibule explain`: a recorded request head through a configuration, stage by stage.
//!
//! Nothing is sent to the upstream; lists and OCSP answers are fetched as the server would fetch them. What the stages say is for the operator: codes and causes that clients never see.

use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use clap::Args;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::recorded::answer_of;
use super::{USAGE, done, failed, inspect, refused, say};
use crate::admission::{Anonymous, Basis, Identity};
use crate::clock::UnixTime;
use crate::config::{self, ManagementSettings};
use crate::consumer::Identification;
use crate::domains::Judged;
use crate::front_door::{AskedBy, AuthenticatedForward};
use crate::journey::{Decided, Findings, Snapshot};
use crate::oauth::OAuth;
use crate::refusal::{Refusal, Refused};
use crate::request_head::{Connection, RequestHead, RequestTarget, TlsPeer};
use crate::revocation::{Cache, Revocation};
use crate::rules::{After, OAuthVariable, Permitted, Responded, ResponseHead, RuleAnswer, RuleTrace, Trace};
use crate::secret::Pepper;
use crate::server;
use crate::telemetry::fetches::FetchMetrics;
use crate::variables::ProfileVariable;
use crate::x509::certificate::Certificate;
use crate::x509::reason::reason_text;

/// The arguments of `explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The configuration folder
    #[arg(long, value_name = "DIR", default_value = "edge-config")]
    config: PathBuf,
    /// The time to judge at, instead of now
    #[arg(long, value_name = "RFC3339", value_parser = inspect::instant)]
    at: Option<UnixTime>,
    /// The address that the connection comes from
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    peer: IpAddr,
    /// The connection is a TLS handshake with Vestibule itself, for this server name
    #[arg(long, value_name = "NAME")]
    sni: Option<String>,
    /// The certificate that was shown in that handshake, and its chain (PEM or DER)
    #[arg(long, value_name = "FILE", requires = "sni")]
    client_certificate: Option<PathBuf>,
    /// A file with the head of the upstream's answer: the rules of the response phase run on it
    #[arg(long, value_name = "FILE")]
    response: Option<PathBuf>,
    /// A file with the request head; standard input when left out
    head: Option<PathBuf>,
}

/// The largest head: the server reads no more either.
const LARGEST_HEAD: usize = 128 * 1024;

pub(super) fn run(args: &ExplainArgs, out: &mut dyn Write) -> ExitCode {
    let now = args.at.unwrap_or_else(UnixTime::now);
    let mut loaded = match config::load(&args.config, now) {
        Ok(loaded) => loaded,
        Err(problems) => return refused(&args.config, &problems),
    };
    let bytes = match read(args) {
        Ok(bytes) => bytes,
        Err(why) => return failed(&format!("the request head cannot be read: {why}")),
    };
    let connection = match connection(args) {
        Ok(connection) => connection,
        Err(why) => return failed(&format!("the client certificate cannot be read: {why}")),
    };
    let answer = args.response.as_ref().map(|file| {
        let read = std::fs::read(file).map_err(|why| why.to_string());
        read.and_then(|bytes| answer_of(&bytes)).map_err(|why| format!("`{}`: {why}", file.display()))
    });
    let answer = match answer.transpose() {
        Ok(answer) => answer,
        Err(why) => return failed(&why),
    };
    let outcome = head_of(&bytes, connection);
    if bytes.is_empty() {
        say("there is no request head");
        return ExitCode::from(USAGE);
    }
    let settings = loaded.process.revocation.clone();
    match Revocation::start(settings, Cache::Read, FetchMetrics::default(), Box::new(move || now)) {
        Ok(revocation) => match OAuth::start() {
            Ok(oauth) => loaded.snapshot.attach(&revocation, &oauth),
            Err(why) => return failed(&format!("authorization servers cannot be asked: {why}")),
        },
        Err(why) => return failed(&format!("nothing can be fetched about revocation: {why}")),
    }
    let mut said = Vec::new();
    let settings = loaded.process.management.as_ref().zip(loaded.process.pepper.as_ref().ok());
    if let Some((settings, pepper)) = settings {
        match stored(settings, pepper) {
            Ok(judged) => {
                if let Err(problems) = server::attach(&mut loaded.snapshot, &judged) {
                    return refused(&args.config, &problems);
                }
            }
            Err(why) => {
                let line =
                    format!("store          not read, so nothing of custom domains and their clients is known here: {why}\n");
                said.extend_from_slice(line.as_bytes());
            }
        }
    }
    let written = explain(&loaded.snapshot, outcome, answer, now, &mut said);
    done(written.and_then(|()| out.write_all(harmless(&String::from_utf8_lossy(&said)).as_bytes())))
}

/// What the store of the management API holds.
fn stored(settings: &ManagementSettings, pepper: &Arc<Pepper>) -> Result<Judged, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|why| why.to_string())?;
    runtime.block_on(server::read(settings, pepper))
}

/// A recorded head is a stranger's: what it holds must not steer the terminal.
fn harmless(said: &str) -> String {
    let mut shown = String::with_capacity(said.len());
    for one in said.chars() {
        match one {
            '\n' => shown.push(one),
            _ if one.is_control() => shown.extend(one.escape_default()),
            _ => shown.push(one),
        }
    }
    shown
}

fn read(args: &ExplainArgs) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more, so that a head that is too large is not taken for its beginning.
    let most = LARGEST_HEAD as u64 + 1;
    match &args.head {
        Some(path) => std::fs::File::open(path)?.take(most).read_to_end(&mut bytes)?,
        None => io::stdin().lock().take(most).read_to_end(&mut bytes)?,
    };
    Ok(bytes)
}

fn connection(args: &ExplainArgs) -> io::Result<Connection> {
    let mut connection = Connection::from_address(args.peer);
    let Some(sni) = &args.sni else { return Ok(connection) };
    let mut certificates = Vec::new();
    if let Some(file) = &args.client_certificate {
        let read = Certificate::from_pem_or_der(&std::fs::read(file)?).map_err(io::Error::other)?;
        certificates = read.iter().map(|certificate| certificate.der().to_vec()).collect();
    }
    connection.tls = Some(Arc::new(TlsPeer { certificates, sni: Some(sni.clone()) }));
    Ok(connection)
}

/// Reads a recorded head with the parser that the server uses. A recording often lacks the empty line at its end.
fn head_of(bytes: &[u8], connection: Connection) -> Result<RequestHead, Refused> {
    let malformed = |why: String| Refused::new(Refusal::RequestMalformed, why);
    if bytes.len() > LARGEST_HEAD {
        return Err(Refused::new(Refusal::RequestHeadTooLarge, format!("more than {LARGEST_HEAD} bytes")));
    }
    let mut whole = bytes.to_vec();
    whole.extend_from_slice(b"\r\n\r\n");
    let mut lines = [httparse::EMPTY_HEADER; 96];
    let mut request = httparse::Request::new(&mut lines);
    match request.parse(&whole) {
        Ok(status) if status.is_complete() => {}
        Ok(_) => return Err(malformed("the head is not whole".into())),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Refused::new(Refusal::RequestHeadTooLarge, "more than 96 header lines"));
        }
        Err(why) => return Err(malformed(format!("the head is not HTTP/1: {why}"))),
    }
    let mut headers = HeaderMap::new();
    for line in request.headers.iter() {
        let name = HeaderName::from_bytes(line.name.as_bytes()).map_err(|why| malformed(why.to_string()))?;
        let value = HeaderValue::from_bytes(line.value).map_err(|why| malformed(why.to_string()))?;
        headers.append(name, value);
    }
    Ok(RequestHead {
        method: Method::from_bytes(request.method.unwrap_or_default().as_bytes()).map_err(|why| malformed(why.to_string()))?,
        target: RequestTarget::parse(request.path.unwrap_or_default())?,
        headers,
        connection,
    })
}

fn explain(
    snapshot: &Snapshot,
    head: Result<RequestHead, Refused>,
    answer: Option<(StatusCode, HeaderMap)>,
    now: UnixTime,
    out: &mut dyn Write,
) -> io::Result<()> {
    let forward = head.and_then(|head| AuthenticatedForward::unremembered(&snapshot.directory, head, now));
    let mut forward = match forward {
        Ok(forward) => forward,
        Err(refused) => {
            writeln!(out, "front door     refused")?;
            return decision(out, &refused);
        }
    };
    let domain = forward.domain();
    write!(out, "front door     `{}` for `{}`", domain.front_door().name, domain.name())?;
    if let Some(position) = forward.key_position() {
        write!(out, ", key {position}")?;
        if let Some(key) = domain.custom().and_then(|custom| custom.keys().get(position)) {
            write!(out, " (`{}`)", key.id)?;
        }
    }
    if let Some(keyid) = forward.keyid() {
        write!(out, ", signed with `{keyid}`; whether the nonce is new was not asked")?;
    }
    writeln!(out)?;
    if let Some(custom) = domain.custom() {
        writeln!(out, "  custom       a domain of the store; its origin domain name is `{}`", custom.origin())?;
    }
    match forward.asked_by() {
        AskedBy::Name => {}
        AskedBy::MtlsHost => writeln!(out, "  asked by     its mTLS host")?,
        AskedBy::Origin => writeln!(out, "  asked by     its origin domain name; for which host is not known")?,
    }
    writeln!(out, "client         {}", forward.client_address())?;
    let tenant = snapshot.tenant(&forward).ok();
    if let Some(endpoint) = tenant.and_then(|tenant| tenant.asked_at(&forward)) {
        match forward.into_original(&endpoint.original_uri_header, &endpoint.original_method_header) {
            Ok(original) => forward = original,
            Err(refused) => return decision(out, &refused),
        }
        writeln!(out, "authorize      asks about {} {}", forward.method(), forward.target().raw())?;
    }
    let mut findings = Findings::default();
    let mut rules = Vec::new();
    let deciding = snapshot.decide(forward, "explain", now, &mut findings, Trace::On(&mut rules));
    let decided = tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(deciding);
    findings.rules = rules;
    stages(out, &findings)?;
    match decided {
        Ok(Decided::Permitted(mut sending)) => {
            let after = sending.permitted.take_after().filter(|after| after.rules);
            let Some(answer) = answer else {
                later_rules(out, &findings, after.is_some())?;
                return permitted(out, &sending.permitted, &sending.upstream.name);
            };
            permitted(out, &sending.permitted, &sending.upstream.name)?;
            after_answer(out, &mut findings, after.as_ref(), answer, now)
        }
        Ok(Decided::Answered(answer)) => answered(out, &answer),
        Err(refused) => decision(out, &refused),
    }
}

fn stages(out: &mut dyn Write, findings: &Findings) -> io::Result<()> {
    if let Some(route) = &findings.route {
        let admission = &route.policy.admission;
        writeln!(
            out,
            "route          `{}` to `{}`, verification {:?}",
            route.path, route.upstream.name, admission.verification
        )?;
    }
    if let Some(presentation) = &findings.presentation {
        match presentation.certificate() {
            Some(one) => {
                writeln!(out, "presented      {}", one.subject())?;
                writeln!(out, "  sha-256      {}", hex::encode(one.leaf().sha256()))?;
                writeln!(out, "  others       {}", one.chain().len())?;
            }
            None => writeln!(out, "presented      no certificate")?,
        }
        for note in presentation.notes() {
            writeln!(out, "  note         {note}")?;
        }
    }
    if let Some(found) = &findings.verification {
        writeln!(out, "chain          {}", found.chain().name())?;
        writeln!(out, "validity       {}", found.validity().name())?;
        writeln!(out, "purpose        {}", found.purpose().name())?;
        writeln!(out, "revocation     {}", found.revocation().name())?;
        for error in found.errors() {
            writeln!(out, "  error        {} at depth {}: {}", error.code, error.depth, reason_text(error.code))?;
        }
        writeln!(out, "verify         {}", found.text())?;
        for remark in found.remarks() {
            writeln!(out, "  remark       {remark}")?;
        }
    }
    if let Some(found) = &findings.thumbprint {
        writeln!(out, "registered     by {}, validity {}", found.by().word(), found.validity().name())?;
        for error in found.errors() {
            writeln!(out, "  error        {}: {}", error.code, reason_text(error.code))?;
        }
        for remark in found.remarks() {
            writeln!(out, "  remark       {remark}")?;
        }
    }
    if let Some(admission) = &findings.admission {
        match (admission.identity(), admission.anonymous_because()) {
            (Some(identity), _) => {
                let waived: Vec<&str> = identity.waived().iter().map(|waiver| waiver.word()).collect();
                let waived = if waived.is_empty() { "nothing".to_owned() } else { waived.join(", ") };
                let by = match identity.basis() {
                    Basis::Ca(_) => "verified",
                    Basis::Thumbprint(_) => "verified by thumbprint, by no CA",
                };
                writeln!(out, "admission      {by}; waived: {waived}")?;
                profile(out, identity)?;
            }
            (None, Some(Anonymous::NotAccepted(refused))) => writeln!(out, "admission      anonymous; {refused}")?,
            (None, Some(why)) => writeln!(out, "admission      anonymous: {why:?}")?,
            (None, None) => {}
        }
    }
    oauth(out, findings)?;
    for monitored in findings.monitored.iter().filter(|monitored| monitored.rule.is_none()) {
        writeln!(out, "  monitor      would refuse: {}", monitored.would.join(", "))?;
    }
    if let Some(who) = &findings.identification {
        identified(out, who)?;
    }
    for rule in &findings.rules {
        traced(out, rule)?;
    }
    Ok(())
}

fn oauth(out: &mut dyn Write, findings: &Findings) -> io::Result<()> {
    let facts = findings.oauth.facts();
    if findings.oauth.token.is_some() {
        writeln!(out, "access token   accepted")?;
    }
    if let Some(client) = &findings.oauth.client {
        writeln!(out, "oauth client   `{}` of the {}, by {}", client.id, client.source.word(), client.method)?;
    }
    for (variable, name) in OAuthVariable::ALL {
        let text = variable.text(&facts);
        if !text.is_empty() {
            writeln!(out, "  fact         {name}: {}", text.escape_default())?;
        }
    }
    Ok(())
}

fn traced(out: &mut dyn Write, rule: &RuleTrace) -> io::Result<()> {
    let matched = rule.word();
    let watched = if rule.monitor { ", only watched" } else { "" };
    writeln!(out, "rule           {}: {matched} ({}{watched})", rule.rule, rule.phase.word())?;
    for (criterion, value, held) in &rule.criteria {
        writeln!(out, "  {}  {criterion}, found {value:?}", if *held { "yes" } else { "no " })?;
    }
    if rule.matched {
        let verb = if rule.monitor { "would" } else { "does " };
        writeln!(out, "  {verb}  {}", rule.behaviors.join(", "))?;
    }
    Ok(())
}

/// Nothing was sent, so nothing was answered: the rules of the response phase can only be named.
fn later_rules(out: &mut dyn Write, findings: &Findings, wanted: bool) -> io::Result<()> {
    let Some(route) = findings.route.as_ref().filter(|_| wanted) else { return Ok(()) };
    for rule in &route.rules.response {
        writeln!(out, "rule           {}: waits for the answer (response)", rule.name)?;
    }
    Ok(())
}

/// The rules of the response phase on a recorded answer, and what the client would get.
fn after_answer(
    out: &mut dyn Write,
    findings: &mut Findings,
    after: Option<&After>,
    (status, mut headers): (StatusCode, HeaderMap),
    now: UnixTime,
) -> io::Result<()> {
    let mut rules = Vec::new();
    let upstream = findings.upstream.as_ref().map(|upstream| upstream.endpoint.to_string()).unwrap_or_default();
    let head = ResponseHead { status, headers: &mut headers, upstream: &upstream };
    let responded = after.map(|after| findings.respond(&after.request, now, head, Trace::On(&mut rules)));
    for rule in &rules {
        traced(out, rule)?;
    }
    match responded.transpose() {
        Err(refused) => {
            return writeln!(
                out,
                "answer         {} {}\n  cause        {}",
                refused.refusal.status(),
                refused.refusal.code(),
                refused.cause
            );
        }
        Ok(Some(Responded { redirect: Some((status, location)), .. })) => {
            return writeln!(out, "answer         {status}, to {}", String::from_utf8_lossy(location.as_bytes()));
        }
        Ok(_) => writeln!(out, "answer         {}", status.as_u16())?,
    }
    for (name, value) in &headers {
        writeln!(out, "  header       {name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
    }
    Ok(())
}

fn identified(out: &mut dyn Write, who: &Identification) -> io::Result<()> {
    if let Some(found) = who.consumer() {
        let consumer = found.consumer();
        writeln!(out, "consumer       `{}`, found by {}", consumer.id, found.by().word())?;
        for (name, value) in [("username", &consumer.username), ("custom_id", &consumer.custom_id)] {
            if let Some(value) = value {
                writeln!(out, "  {name:11}  {value}")?;
            }
        }
        if !consumer.groups.is_empty() {
            writeln!(out, "  groups       {}", consumer.groups.join(", "))?;
        }
    }
    if let Some(group) = who.authenticated_group() {
        writeln!(out, "consumer       nobody is looked up; group {}", group.escape_default())?;
    }
    Ok(())
}

fn answered(out: &mut dyn Write, answer: &RuleAnswer) -> io::Result<()> {
    writeln!(out, "decision       answer: {} by rule `{}`", answer.status(), answer.rule())
}

fn profile(out: &mut dyn Write, identity: &Identity) -> io::Result<()> {
    let Some(applied) = identity.profile() else { return Ok(()) };
    let assessment = applied.assessment();
    writeln!(out, "profile        `{}`, {}", applied.name(), assessment.kind.word())?;
    for (variable, name) in ProfileVariable::ALL {
        let text = variable.text(applied.name(), &assessment.profile);
        if variable != ProfileVariable::CertificateProfile && !text.is_empty() {
            writeln!(out, "  fact         {name}: {}", text.escape_default())?;
        }
    }
    for violation in &assessment.violations {
        writeln!(out, "  reported     {violation}")?;
    }
    Ok(())
}

fn permitted(out: &mut dyn Write, permitted: &Permitted, upstream: &str) -> io::Result<()> {
    for (name, value) in &permitted.ours() {
        writeln!(out, "sets           {name}: {}", said(value))?;
    }
    writeln!(out, "decision       permit: {} {} to `{upstream}`", permitted.method(), permitted.target().raw())
}

/// What a header tells the upstream. Of a token only the claims are shown: with its signature it would be good for a while.
fn said(value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
    if !value.is_sensitive() {
        return text;
    }
    let (what, read) = match text.split('.').nth(1) {
        Some(claims) => ("a signed token, ", URL_SAFE_NO_PAD.decode(claims)),
        None => ("", STANDARD.decode(&text)),
    };
    format!("{what}{}", String::from_utf8_lossy(&read.unwrap_or_default()))
}

fn decision(out: &mut dyn Write, refused: &Refused) -> io::Result<()> {
    writeln!(out, "decision       refuse: {} {}", refused.refusal.status(), refused.refusal.code())?;
    writeln!(out, "  cause        {}", refused.cause)
}
