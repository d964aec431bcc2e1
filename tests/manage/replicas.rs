//! Three processes with one PostgreSQL, behind a real nginx, under load: a process is killed, the database is away, keys are
//! rotated, domains deleted.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bank::{Request, good};
use crate::dns_server::DnsServer;
use crate::http_client::Client;
use crate::nginx::Nginx;
use crate::office::{DOMAINS, OFTEN, TOKEN, answered, ask, new, office_files, path};
use crate::ports::free_port;
use crate::recording_upstream::RecordingUpstream;
use crate::store::Store;
use crate::vestibule_program::{Vestibule, wait_until};

/// In this time a change reaches every process.
const BOUND: Duration = Duration::from_secs(1);
/// For how many seconds the database is away, unless the variable says otherwise.
const OUTAGE: (&str, u64) = ("VESTIBULE_TEST_OUTAGE_SECONDS", 6);
const CLIENTS: usize = 3;

/// A key that was shown.
#[derive(Clone)]
struct Shown {
    host: String,
    key: String,
    /// When it was.
    live: Instant,
    /// When its end was asked for.
    ending: Option<Instant>,
    /// When its end was acknowledged.
    dead: Option<Instant>,
}

impl Shown {
    /// What a request must be answered that was sent then and is answered now.
    fn wanted(&self, sent: Instant) -> Option<u16> {
        match (self.ending, self.dead) {
            (None, _) => (self.live + BOUND <= sent).then_some(200),
            (Some(_), Some(dead)) => (dead + BOUND <= sent).then_some(403),
            (Some(_), None) => None,
        }
    }
}

struct Row {
    replicas: Vec<Vestibule>,
    upstream: RecordingUpstream,
    dns: DnsServer,
    store: Store,
    keys: Mutex<Vec<Shown>>,
}

impl Row {
    fn open() -> Self {
        let (upstream, dns, store) = (RecordingUpstream::start(), DnsServer::start(), Store::alone());
        let mut files = office_files(&upstream, &dns, OFTEN);
        files[0].1.push_str(&store.lines());
        let replicas = (0..3).map(|_| Vestibule::start(&files)).collect();
        Self { replicas, upstream, dns, store, keys: Mutex::default() }
    }

    fn ask(&self, replica: usize, method: &str, path: &str, body: Option<Value>) -> crate::http_client::Answer {
        ask(self.replicas[replica].admin_port(), TOKEN, method, path, body)
    }

    fn ready(&self, replica: usize, host: &str) -> Value {
        let created = self.ask(replica, "POST", DOMAINS, Some(new(host)));
        assert_eq!(created.status, 201, "{}", created.text());
        let created = created.json();
        let method = &created["verification"]["methods"][0];
        self.dns.txt(method["domain"].as_str().unwrap(), method["record"].as_str().unwrap());
        let verified = self.ask((replica + 1) % 2, "POST", &format!("{}/verify", path(&created)), None);
        assert_eq!(verified.status, 200, "{}", verified.text());
        self.show(host, verified.json()["cname_api_key"].as_str().unwrap());
        created
    }

    fn show(&self, host: &str, key: &str) {
        let shown = Shown { host: host.into(), key: key.into(), live: Instant::now(), ending: None, dead: None };
        self.keys.lock().unwrap().push(shown);
    }

    /// Asks for something that ends all keys of a domain.
    fn ending(&self, domain: &Value, ask: impl FnOnce() -> crate::http_client::Answer) -> crate::http_client::Answer {
        let host = domain["domain"].as_str().unwrap();
        let of_host = |keys: &mut Vec<Shown>, change: &dyn Fn(&mut Shown)| {
            keys.iter_mut().filter(|shown| shown.host == host && shown.dead.is_none()).for_each(change);
        };
        of_host(&mut self.keys.lock().unwrap(), &|shown| shown.ending = Some(Instant::now()));
        let answer = ask();
        assert!((200..300).contains(&answer.status), "{} {}", answer.status, answer.text());
        of_host(&mut self.keys.lock().unwrap(), &|shown| shown.dead = Some(Instant::now()));
        answer
    }

    fn rotate(&self, replica: usize, domain: &Value) {
        let path = format!("{}/rotate-key", path(domain));
        let rotated = self.ending(domain, || self.ask(replica, "POST", &path, Some(json!({ "overlap_seconds": 0 }))));
        self.show(domain["domain"].as_str().unwrap(), rotated.json()["cname_api_key"].as_str().unwrap());
    }

    fn delete(&self, replica: usize, domain: &Value) {
        self.ending(domain, || self.ask(replica, "DELETE", &path(domain), None));
    }

    /// Every key on one process, past the bound.
    fn check(&self, replica: usize) {
        let person = good();
        for shown in self.keys.lock().unwrap().iter() {
            let request = Request::get("/").of(&person).instead("Host", &shown.host).instead("cname-api-key", &shown.key);
            let status = answered(&self.replicas[replica], &request);
            assert_eq!(Some(status), shown.wanted(Instant::now()), "replica {replica}: {}", shown.host);
        }
    }

    fn wait_for_up(&self, replica: usize, up: u64) {
        let vestibule = &self.replicas[replica];
        wait_until(|| vestibule.counter("vestibule_store_up") == up, || vestibule.diagnostics());
    }
}

/// One client that asks with one key after the other.
fn load(row: &Row, port: u16, first: usize, stop: &AtomicBool, asked: &AtomicUsize, wrong: &Mutex<Vec<String>>) {
    let person = good();
    let mut client = Client::tcp(port);
    for turn in first.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let shown = {
            let keys = row.keys.lock().unwrap();
            let place = turn % keys.len();
            (place, keys[place].clone())
        };
        let request = Request::get("/").of(&person).instead("Host", &shown.1.host).instead("cname-api-key", &shown.1.key);
        let sent = Instant::now();
        let answer = client.ask(request.text());
        // What was asked for in the meantime counts too.
        let now = row.keys.lock().unwrap()[shown.0].clone();
        let is_known = [200, 403].contains(&answer.status);
        if now.wanted(sent).is_some_and(|wanted| wanted != answer.status) || !is_known {
            let since = |instant: Option<Instant>| instant.map(|instant| sent.saturating_duration_since(instant));
            wrong.lock().unwrap().push(format!(
                "{}: {} where {:?} was wanted; live for {:?}, ending for {:?}, dead for {:?}",
                now.host,
                answer.status,
                now.wanted(sent),
                since(Some(now.live)),
                since(now.ending),
                since(now.dead)
            ));
        }
        if answer.status == 0 {
            client = Client::tcp(port);
        }
        asked.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn three_processes_give_no_wrong_answer() {
    let mut row = Row::open();
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let servers: String = row
        .replicas
        .iter()
        .map(|replica| format!("server 127.0.0.1:{} max_fails=1 fail_timeout=1s;\n", replica.port()))
        .collect();
    let http = format!(
        "upstream vestibules {{\n{servers}keepalive 16;\n}}\nserver {{\nlisten 127.0.0.1:{port};\nkeepalive_requests 10000000;\n\
         location / {{\nproxy_pass http://vestibules;\nproxy_http_version 1.1;\nproxy_set_header Connection \"\";\n\
         proxy_set_header Host $http_host;\nproxy_connect_timeout 2s;\n}}\n}}"
    );
    let _nginx = Nginx::start(&http, folder.path());
    let domains: Vec<Value> = (0..9).map(|number| row.ready(number % 3, &format!("d{number}.customer.example"))).collect();
    let (stop, asked, wrong) = (AtomicBool::new(false), AtomicUsize::new(0), Mutex::new(Vec::new()));
    let seconds = std::env::var(OUTAGE.0).map_or(OUTAGE.1, |text| text.parse().unwrap());

    let phase = |row: &Row, play: &dyn Fn(&Row)| {
        stop.store(false, Ordering::Relaxed);
        std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (stop, asked, wrong) = (&stop, &asked, &wrong);
                scope.spawn(move || load(row, port, client * 3, stop, asked, wrong));
            }
            // Also when the play fails: the clients would go on for ever.
            let _stopped = Stop(&stop);
            play(row);
        });
        row.upstream.take();
    };

    phase(&row, &|row| {
        std::thread::sleep(BOUND);
        row.rotate(0, &domains[0]);
        row.delete(1, &domains[1]);
        row.rotate(2, &domains[2]);
        row.ready(1, "late.customer.example");
        std::thread::sleep(BOUND * 2);
        // The third one is killed.
        let pid = row.replicas[2].pid().to_string();
        assert!(std::process::Command::new("kill").arg("-KILL").arg(pid).status().unwrap().success());
        row.rotate(1, &domains[3]);
        row.delete(0, &domains[4]);
        std::thread::sleep(BOUND * 2);

        row.store.database.server.stop();
        let away = Instant::now();
        row.wait_for_up(0, 0);
        row.wait_for_up(1, 0);
        let refused = row.ask(0, "POST", DOMAINS, Some(new("never.customer.example")));
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("2")), "{}", refused.text());
        std::thread::sleep(Duration::from_secs(seconds).saturating_sub(away.elapsed()));
        row.store.database.server.start_again();
        row.wait_for_up(0, 1);
        row.wait_for_up(1, 1);
        row.rotate(1, &domains[5]);
        row.delete(0, &domains[6]);
        std::thread::sleep(BOUND * 2);
    });
    // The killed one comes back and knows everything.
    row.replicas[2].kill_and_restart();
    phase(&row, &|row| {
        std::thread::sleep(BOUND);
        for turn in 0..6 {
            row.rotate(turn % 3, &domains[7]);
            std::thread::sleep(Duration::from_millis(250));
        }
        row.delete(2, &domains[8]);
        std::thread::sleep(BOUND * 2);
    });

    let wrong = wrong.into_inner().unwrap();
    let asked = asked.into_inner();
    println!("{asked} requests, {} wrong, database away for {seconds} s", wrong.len());
    assert_eq!(wrong, Vec::<String>::new(), "of {asked}");
    assert!(asked > 300, "{asked}");
    for replica in 0..3 {
        row.check(replica);
    }
    // Every acknowledged change has its line, one after the other.
    let log = row.ask(1, "GET", "/api/v2/audit-log?take=1000", None).json();
    let revisions: Vec<i64> = log.as_array().unwrap().iter().map(|line| line["revision"].as_i64().unwrap()).collect();
    assert_eq!(revisions, (1..=revisions.len() as i64).collect::<Vec<_>>());
    let of = |action: &str| log.as_array().unwrap().iter().filter(|line| line["action"] == action).count();
    assert_eq!((of("create"), of("verify"), of("rotate_key"), of("delete")), (10, 10, 10, 4));
}

/// Ends the clients when it is dropped.
struct Stop<'s>(&'s AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn two_processes_do_not_give_one_name_away_twice() {
    let row = Row::open();
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let ask = |replica: usize, host: &'static str| {
            let row = &row;
            scope.spawn(move || row.ask(replica, "POST", DOMAINS, Some(new(host))).status)
        };
        // The second name is an alias of the first one.
        let asked = [ask(0, "a.customer.example"), ask(1, "mtls.a.customer.example"), ask(2, "a.customer.example")];
        asked.map(|asked| asked.join().unwrap()).to_vec()
    });
    let mut sorted = answers.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [201, 409, 409], "{answers:?}");
}

#[test]
fn a_name_that_was_given_to_another_domain_meanwhile() {
    let row = Row::open();
    let names: Vec<String> = (0..8).map(|number| format!("d{number}.customer.example")).collect();
    let domains: Vec<Value> = names.iter().map(|name| row.ready(0, name)).collect();
    std::thread::sleep(BOUND);
    row.check(2);
    // It sees all of this at once.
    row.replicas[2].signal("STOP");
    for (domain, name) in domains.iter().zip(&names) {
        row.delete(0, domain);
        row.ready(0, name);
    }
    row.replicas[2].signal("CONT");
    std::thread::sleep(BOUND);
    row.check(2);
    row.check(1);
}

#[test]
fn uses_are_counted_by_all() {
    let mut row = Row::open();
    let domain = row.ready(0, "a.customer.example");
    std::thread::sleep(BOUND);
    for replica in [0, 1, 1, 2] {
        row.check(replica);
    }
    for replica in &mut row.replicas {
        replica.signal("TERM");
        replica.wait_for_end();
    }
    row.replicas[1].kill_and_restart();
    let keys = row.ask(1, "GET", &format!("{}/keys", path(&domain)), None).json();
    assert_eq!(keys[0]["uses"], 4, "{keys}");
}

#[test]
fn a_store_that_went_back_is_read_anew() {
    let row = Row::open();
    let domain = row.ready(0, "a.customer.example");
    row.ready(0, "b.customer.example");
    std::thread::sleep(BOUND);
    row.check(2);
    // As if an older copy had been put back.
    let sql = "ALTER TABLE audit_log DISABLE TRIGGER ALL; DELETE FROM audit_log WHERE revision > 2;
               DELETE FROM custom_domains WHERE domain = 'b.customer.example'; UPDATE revision SET number = 2;
               ALTER TABLE audit_log ENABLE TRIGGER ALL";
    row.store.database.sql(sql).unwrap();
    for replica in &row.replicas {
        replica.wait_for_diagnostics("the store went back from revision 4 to 2");
        wait_until(|| replica.counter("vestibule_custom_domains") == 1, || replica.diagnostics());
    }
    assert_eq!(row.ask(1, "GET", &path(&domain), None).status, 200);
    row.rotate(1, &domain);
    std::thread::sleep(BOUND);
    row.keys.lock().unwrap().retain(|shown| shown.host == "a.customer.example");
    row.check(0);
}
