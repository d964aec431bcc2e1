//! How front doors prove themselves: addresses, Unix peers, signatures; alone and together.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::attacks::seen;
use crate::bank::{Bank, DOMAIN, KEY, PROCESS, Request, Tenant, escaped, files, good};
use crate::http_client::Client;
use crate::recording_upstream::RecordingUpstream;
use crate::redis_server::Redis;
use crate::signing::{Signed, now};
use crate::vestibule_program::{Vestibule, wait_until};

pub(crate) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const NEXT_SECRET: &[u8] = b"fedcba9876543210fedcba9876543210";
const RELOADS: &str = "vestibule_reloads_total";

/// Lines of a front door that signs.
pub(crate) fn signature_keys(keyids: &[&str]) -> String {
    let one =
        |keyid: &&str| format!("[[front_doors.signature_keys]]\nkeyid = \"{keyid}\"\nsecret_file = \"secrets/{keyid}\"\n");
    keyids.iter().map(one).collect()
}

/// A tenant whose front door proves itself like this; domains have a key only where that is a proof.
fn tenant_text(proofs: &str, lines: &str, upstream: &str) -> String {
    let tenant = Tenant { door_lines: lines.to_owned(), ..Tenant::default() };
    let text = tenant.text(upstream).replace("proofs = [\"api_key\"]", &format!("proofs = [{proofs}]"));
    if proofs.contains("api_key") {
        return text;
    }
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("cname_api_keys")).collect();
    kept.join("\n")
}

pub(crate) fn bank_with(proofs: &str, lines: &str, process: &str) -> Bank {
    let upstream = RecordingUpstream::start();
    let vestibule = start(proofs, lines, process, &upstream);
    Bank { vestibule, upstream }
}

fn start(proofs: &str, lines: &str, process: &str, upstream: &RecordingUpstream) -> Vestibule {
    let mut files = files(&[(Tenant::default(), upstream.url())]);
    for (path, text) in &mut files {
        match path.as_str() {
            "vestibule.toml" => process.clone_into(text),
            "tenants/bank.toml" => *text = tenant_text(proofs, lines, &upstream.url()),
            _ => {}
        }
    }
    for (keyid, secret) in [("edge1", SECRET), ("edge2", NEXT_SECRET)] {
        files.push((format!("secrets/{keyid}"), openssl::base64::encode_block(secret)));
    }
    Vestibule::start(&files)
}

fn signing_bank() -> Bank {
    bank_with("\"signature\"", &signature_keys(&["edge1"]), PROCESS)
}

fn signed(target: &str) -> Signed {
    Signed::get(target, "edge1", SECRET)
}

fn of_good(signed: Signed) -> Signed {
    let verdict = "FAILED:unable to verify the first certificate";
    signed.line("client-certificate", &escaped(&good().certificate)).line("client-certificate-ca-verified", verdict)
}

#[test]
fn a_signed_request_passes_once() {
    let bank = signing_bank();
    let text = of_good(signed("/payments/1?a=b&c")).text();
    let answer = bank.vestibule.ask(&text);
    assert_eq!(answer.status, 200, "{}", bank.vestibule.access_line(&answer));
    let received = bank.upstream.take_one();
    assert_eq!((received.header("ssl-client-verify"), received.header("x-client-cn")), ("SUCCESS", "good"));
    for name in ["signature", "signature-input", "client-certificate"] {
        assert_eq!(received.header(name), "", "{name}");
    }
    let line = bank.vestibule.access_line(&answer);
    assert_eq!((line["forward.keyid"].as_str(), line["forward.key"].as_u64()), (Some("edge1"), None));
    assert_eq!(bank.vestibule.counter("vestibule_nonces_remembered"), 1);
    // Again, on another connection, and after a reload: configurations come and go, the memory stays.
    for _ in 0..2 {
        assert_eq!(bank.refused(&bank.vestibule.ask(&text), 403), "signature_replayed");
    }
    bank.vestibule.signal("HUP");
    bank.vestibule.wait_for_counter(RELOADS, 1);
    assert_eq!(bank.refused(&bank.vestibule.ask(&text), 403), "signature_replayed");
    assert_eq!(bank.vestibule.ask(of_good(signed("/payments/1")).text()).status, 200);
}

#[test]
fn whatever_is_wrong_with_a_signature_gets_the_same_answer() {
    let bank = signing_bank();
    let victim = escaped(&crate::bank::person(&crate::bank::leaf("victim")).certificate);
    let text = || of_good(signed("/payments/1?amount=10")).text();
    let replaced = |from: &str, to: &str| {
        let text = text();
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let line = |name: &str| {
        let text = text();
        let line = text.split("\r\n").find(|line| line.starts_with(name)).unwrap().to_owned();
        (text, format!("{line}\r\n"))
    };
    let without = |name: &str| {
        let (text, line) = line(name);
        text.replacen(&line, "", 1)
    };
    let twice = |name: &str| {
        let (text, line) = line(name);
        text.replacen(&line, &format!("{line}{line}"), 1)
    };
    let with_certificate = {
        let (text, line) = line("client-certificate:");
        text.replacen(&line, &format!("client-certificate: {victim}\r\n"), 1)
    };
    let late = Signed { created: now() - 70, ..of_good(signed("/")) };
    let early = Signed { created: now() + 60, ..of_good(signed("/")) };
    let uncovered = |name: &'static str| Signed { uncovered: vec![name], ..of_good(signed("/")) }.text();
    let mut answers = Vec::new();
    for (what, text, code) in [
        ("method", replaced("GET ", "POST "), "signature_wrong"),
        ("path", replaced("/payments/1", "/payments/2"), "signature_wrong"),
        ("query", replaced("amount=10", "amount=99"), "signature_wrong"),
        ("host", replaced(DOMAIN, &format!("mtls.{DOMAIN}")), "signature_wrong"),
        ("certificate", with_certificate, "signature_wrong"),
        ("no certificate", without("client-certificate:"), "signature_wrong"),
        ("verdict", replaced("FAILED:unable", "FAILED:unabie"), "signature_wrong"),
        ("client address", replaced("203.0.113.9", "203.0.113.8"), "signature_wrong"),
        ("nonce", replaced("nonce=\"", "nonce=\"0"), "signature_wrong"),
        ("certificate twice", twice("client-certificate:"), "signature_wrong"),
        ("key of another name", replaced("keyid=\"edge1\"", "keyid=\"edge2\""), "signature_key_unknown"),
        ("another secret", Signed { secret: NEXT_SECRET.to_vec(), ..of_good(signed("/")) }.text(), "signature_wrong"),
        ("no status", of_good(signed("/")).without("client-certificate-ca-verified").text(), "signature_uncovered"),
        ("uncovered status", uncovered("client-certificate-ca-verified"), "signature_uncovered"),
        ("uncovered certificate", uncovered("client-certificate"), "signature_uncovered"),
        ("uncovered address", uncovered("x-forwarded-for"), "signature_uncovered"),
        ("status taken away", without("client-certificate-ca-verified:"), "signature_uncovered"),
        ("unsigned", Request::get("/").of(&good()).text_lossy(), "signature_missing"),
        ("no input", without("signature-input:"), "signature_missing"),
        ("no signature", without("signature:"), "signature_missing"),
        ("input twice", twice("signature-input:"), "signature_malformed"),
        ("signature twice", twice("signature:"), "signature_malformed"),
        ("too old", late.text(), "signature_too_old"),
        ("from the future", early.text(), "signature_from_the_future"),
        ("algorithm", replaced("hmac-sha256", "none"), "signature_malformed"),
    ] {
        let answer = bank.vestibule.ask(&text);
        assert_eq!(bank.refused(&answer, 403), code, "{what}");
        answers.push(seen(&answer));
    }
    assert!(answers.iter().all(|answer| answer == &answers[0]));
    let replay = text();
    assert_eq!(bank.vestibule.ask(&replay).status, 200);
    bank.upstream.take();
    let answer = bank.vestibule.ask(&replay);
    assert_eq!(bank.refused(&answer, 403), "signature_replayed");
    assert_eq!(seen(&answer), answers[0]);
    // What broke in between used nothing up and holds nothing back.
    assert_eq!(bank.vestibule.ask(text()).status, 200);
}

#[test]
fn a_clients_own_signature_goes_on_to_the_upstream() {
    let bank = signing_bank();
    let text = of_good(signed("/payments/1"))
        .text()
        .replacen("signature-input: ", "signature-input: sig1=(\"date\");created=1, ", 1)
        .replacen("signature: ", "signature: sig1=:AAAA:, ", 1);
    assert_eq!(bank.vestibule.ask(text).status, 200);
    let received = bank.upstream.take_one();
    assert_eq!(received.header("signature-input"), "sig1=(\"date\");created=1");
    assert_eq!(received.header("signature"), "sig1=:AAAA:");
}

#[test]
fn every_proof_is_required() {
    let lines = format!("networks = [\"127.0.0.0/8\"]\n{}", signature_keys(&["edge1"]));
    let bank = bank_with("\"signature\", \"network\", \"api_key\"", &lines, PROCESS);
    let with_key = |signed: Signed| signed.text().replacen("\r\n", &format!("\r\ncname-api-key: {KEY}\r\n"), 1);
    let answer = bank.vestibule.ask(with_key(of_good(signed("/payments/1"))));
    assert_eq!(answer.status, 200, "{}", bank.vestibule.access_line(&answer));
    let line = bank.vestibule.access_line(&answer);
    assert_eq!((line["forward.keyid"].as_str(), line["forward.key"].as_u64()), (Some("edge1"), Some(0)));
    bank.upstream.take();
    let unsigned = bank.vestibule.ask(Request::get("/").of(&good()).text());
    assert_eq!(bank.refused(&unsigned, 403), "signature_missing");
    let keyless = bank.vestibule.ask(of_good(signed("/")).text());
    assert_eq!(bank.refused(&keyless, 403), "front_door_key_missing");
    assert_eq!(seen(&unsigned), seen(&keyless));
}

#[test]
fn a_network_is_where_the_connection_comes_from() {
    let ask = |networks: &str| {
        let bank = bank_with("\"network\"", &format!("networks = [{networks}]\n"), PROCESS);
        // What the request says about addresses is nothing to go by.
        let request = Request::get("/").of(&good()).without("cname-api-key").with("x-real-ip", "10.0.0.1");
        let answer = bank.vestibule.ask(request.instead("X-Forwarded-For", "10.0.0.1").text());
        if answer.status == 200 { "passes".to_owned() } else { bank.refused(&answer, 403) }
    };
    assert_eq!(ask("\"127.0.0.1/32\", \"2001:db8::/32\""), "passes");
    assert_eq!(ask("\"10.0.0.0/8\", \"::1/128\""), "front_door_network");
}

#[test]
fn a_unix_peer_is_who_opened_the_socket() {
    let folder = tempfile::tempdir().unwrap();
    let ask = |name: &str, lines: String| {
        let socket = folder.path().join(name);
        let process = PROCESS.replace(
            "listen = [\"127.0.0.1:{port}\"]",
            &format!("listen = [\"127.0.0.1:{{port}}\", \"unix:{}\"]", socket.display()),
        );
        let bank = bank_with("\"unix\"", &lines, &process);
        let request = Request::get("/").of(&good()).without("cname-api-key").text();
        let by_tcp = bank.vestibule.ask(&request);
        assert_eq!(bank.refused(&by_tcp, 403), "front_door_unix_peer");
        let answer = Client::unix(&socket).ask(&request);
        if answer.status == 200 { "passes".to_owned() } else { bank.refused(&answer, 403) }
    };
    let (user, group) = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
    assert_eq!(ask("a", format!("unix_users = [\"{user}\"]\n")), "passes");
    assert_eq!(ask("b", format!("unix_users = [\"nobody\", \"{user}\"]\nunix_groups = [\"{group}\"]\n")), "passes");
    assert_eq!(ask("c", format!("unix_users = [\"{}\"]\n", user + 1)), "front_door_unix_peer");
    assert_eq!(ask("d", format!("unix_users = [\"{user}\"]\nunix_groups = [\"{}\"]\n", group + 1)), "front_door_unix_peer");
}

/// Requests flow while the configuration goes from the old key to both to the new one.
fn rotates(bank: &Bank, texts: [String; 2], old: impl Fn() -> Vec<u8> + Sync, new: impl Fn() -> Vec<u8> + Sync, code: &str) {
    const WORKERS: usize = 2;
    let (phase, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let done: Vec<[AtomicUsize; 2]> = (0..WORKERS).map(|_| [AtomicUsize::new(0), AtomicUsize::new(0)]).collect();
    let many = |kind: usize| {
        let from: Vec<usize> = done.iter().map(|worker| worker[kind].load(Ordering::SeqCst)).collect();
        wait_until(
            || done.iter().zip(&from).all(|(worker, from)| worker[kind].load(Ordering::SeqCst) > from + 20),
            || "the requests do not flow".to_owned(),
        );
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = done
            .iter()
            .map(|done| {
                let (phase, stop, old, new) = (&phase, &stop, &old, &new);
                scope.spawn(move || {
                    let mut client = bank.vestibule.connect();
                    while !stop.load(Ordering::SeqCst) {
                        let kind = phase.load(Ordering::SeqCst);
                        let answer = client.ask(if kind == 0 { old() } else { new() });
                        assert_eq!(answer.status, 200, "{}", bank.vestibule.access_line(&answer));
                        done[kind].fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        many(0);
        for (number, text) in texts.iter().enumerate() {
            bank.vestibule.replace_file("tenants/bank.toml", text);
            bank.vestibule.signal("HUP");
            bank.vestibule.wait_for_counter(RELOADS, number as u64 + 1);
            if number == 0 {
                many(0);
                phase.store(1, Ordering::SeqCst);
            }
            many(1);
        }
        stop.store(true, Ordering::SeqCst);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
    bank.upstream.take();
    assert_eq!(bank.refused(&bank.vestibule.ask(old()), 403), code);
    assert_eq!(bank.vestibule.counter("vestibule_reload_failures_total"), 0);
}

#[test]
fn a_signature_key_is_rotated_while_requests_flow() {
    let bank = signing_bank();
    let url = bank.upstream.url();
    let texts = [&["edge1", "edge2"][..], &["edge2"]].map(|keys| tenant_text("\"signature\"", &signature_keys(keys), &url));
    let certificate = escaped(&good().certificate);
    let ask = |keyid: &str, secret: &[u8]| {
        let signed = Signed::get("/payments/1", keyid, secret).line("client-certificate", &certificate);
        signed.line("client-certificate-ca-verified", "FAILED").text().into_bytes()
    };
    rotates(&bank, texts, || ask("edge1", SECRET), || ask("edge2", NEXT_SECRET), "signature_key_unknown");
}

#[test]
fn an_api_key_is_rotated_while_requests_flow() {
    let bank = Bank::open();
    let url = bank.upstream.url();
    let next = "the-next-key-fedcba9876543210fedcba9876543210";
    let texts = [&[KEY, next][..], &[next]].map(|keys| {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Tenant { keys, ..Tenant::default() }.text(&url)
    });
    let person = good();
    let ask = |key: &str| Request::get("/").of(&person).instead("cname-api-key", key).text();
    rotates(&bank, texts, || ask(KEY), || ask(next), "front_door_key_wrong");
}

#[test]
fn several_processes_remember_nonces_in_redis() {
    let redis = Redis::start(Some("open sesame"));
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "open sesame\n").unwrap();
    let process = format!(
        "{PROCESS}\n[replay]\nredis = \"redis://127.0.0.1:{}/2\"\nredis_password_file = \"{}\"\nredis_timeout = \"2s\"\n",
        redis.port,
        password.display()
    );
    let one = bank_with("\"signature\"", &signature_keys(&["edge1", "edge2"]), &process);
    let two = start("\"signature\"", &signature_keys(&["edge1"]), &process, &one.upstream);
    let first = of_good(signed("/payments/1"));
    assert_eq!(one.vestibule.ask(first.text()).status, 200);
    one.upstream.take();
    assert_eq!(one.refused(&one.vestibule.ask(first.text()), 403), "signature_replayed");
    let elsewhere = two.ask(first.text());
    assert_eq!((elsewhere.status, two.code(&elsewhere).as_str()), (403, "signature_replayed"));
    // The nonce is one key's.
    let other_key = Signed { keyid: "edge2".into(), secret: NEXT_SECRET.to_vec(), ..first.clone() };
    assert_eq!(one.vestibule.ask(other_key.text()).status, 200);
    assert_eq!(two.ask(of_good(signed("/payments/1")).text()).status, 200);
    one.upstream.take();
    // Nobody to ask: nobody passes.
    let port = redis.port;
    drop(redis);
    for _ in 0..3 {
        let answer = one.vestibule.ask(of_good(signed("/payments/1")).text());
        assert_eq!(one.refused(&answer, 503), "nonce_store_unreachable");
    }
    let _redis = Redis::start_on(port, Some("open sesame"));
    wait_until(
        || one.vestibule.ask(of_good(signed("/payments/1")).text()).status == 200,
        || "Redis is back and nobody passes".to_owned(),
    );
    // What does not fit is refused without asking.
    let wrong = Signed { secret: NEXT_SECRET.to_vec(), ..of_good(signed("/")) };
    one.upstream.take();
    assert_eq!(one.refused(&one.vestibule.ask(wrong.text()), 403), "signature_wrong");
}

/// Takes connections and says nothing.
fn silent_redis() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    (listener, url)
}

#[test]
fn nobody_waits_for_a_silent_redis() {
    let (_listener, url) = silent_redis();
    let process = format!("{PROCESS}\n[replay]\nredis = \"{url}\"\nredis_timeout = \"300ms\"\n");
    let bank = bank_with("\"signature\"", &signature_keys(&["edge1"]), &process);
    let answer = bank.vestibule.ask(of_good(signed("/")).text());
    assert_eq!(bank.refused(&answer, 503), "nonce_store_unreachable");
    assert_eq!(answer.json()["message"], "The request could not be handled.");
}

#[test]
fn a_client_that_leaves_while_redis_is_asked_was_not_permitted() {
    let (_listener, url) = silent_redis();
    let process = format!("{PROCESS}\n[replay]\nredis = \"{url}\"\nredis_timeout = \"30s\"\n");
    let bank = bank_with("\"signature\"", &signature_keys(&["edge1"]), &process);
    let mut client = bank.vestibule.connect();
    client.send(of_good(signed("/payments/1")).text());
    wait_until(|| bank.vestibule.counter("vestibule_requests_in_flight") == 1, || "the request does not arrive".to_owned());
    drop(client);
    wait_until(|| !bank.vestibule.access_lines().is_empty(), || "no access line".to_owned());
    let line = bank.vestibule.access_lines().remove(0);
    assert_eq!((line["decision"].as_str(), line["status"].as_u64()), (Some("none"), Some(499)));
    assert!(line.get("forward.domain").is_none());
    assert_eq!(bank.vestibule.counter("vestibule_requests_permitted_total"), 0);
    assert_eq!(bank.upstream.take().len(), 0);
}

#[test]
fn a_redis_that_refuses_the_password_lets_nobody_pass() {
    let redis = Redis::start(Some("another"));
    let process = format!("{PROCESS}\n[replay]\nredis = \"redis://127.0.0.1:{}\"\n", redis.port);
    let bank = bank_with("\"signature\"", &signature_keys(&["edge1"]), &process);
    let answer = bank.vestibule.ask(of_good(signed("/")).text());
    assert_eq!(bank.refused(&answer, 503), "nonce_store_unreachable");
}
