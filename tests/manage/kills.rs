//! Random writes, and a process that is killed at random instants.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::catch_unwind;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::bank::{Person, Request, good};
use crate::office::{DOMAINS, Office, TOKEN, answered, ask, new};

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const WRITES: usize = 200;

/// Numbers that look random (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// What is known of a domain. What a write was to change is taken out before it is sent, and what follows from it is put in when it
/// is acknowledged: between the two, either is right.
#[derive(Default)]
struct Known {
    name: String,
    exists: bool,
    notes: Option<String>,
    live: BTreeMap<String, String>,
    /// Whether it may have a key that nobody was shown.
    unsure: bool,
    dead: BTreeSet<String>,
}

struct Writer<'o> {
    office: &'o Office,
    random: Random,
    domains: BTreeMap<String, Known>,
    acknowledged: usize,
    /// The same for who kills.
    told: Arc<AtomicUsize>,
    sent: usize,
}

/// The process is gone.
struct Gone;

impl Writer<'_> {
    fn send(&mut self, method: &str, path: &str, body: Option<Value>) -> Result<Value, Gone> {
        let port = self.office.bank.vestibule.admin_port();
        let answer = catch_unwind(|| ask(port, TOKEN, method, path, body)).map_err(|_| Gone)?;
        if answer.status == 0 || !answer.complete {
            return Err(Gone);
        }
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text());
        self.acknowledged += 1;
        self.told.store(self.acknowledged, Ordering::Relaxed);
        Ok(if answer.body.is_empty() { Value::Null } else { answer.json() })
    }

    fn write(&mut self) -> Result<(), Gone> {
        self.sent += 1;
        let ready: Vec<String> =
            self.domains.iter().filter(|(_, known)| known.exists && !known.live.is_empty()).map(|(id, _)| id.clone()).collect();
        let kind = self.random.below(8);
        if kind < 3 || ready.is_empty() {
            return self.create();
        }
        let id = ready[self.random.below(ready.len())].clone();
        let path = format!("{DOMAINS}/{id}");
        let known = self.domains.get_mut(&id).unwrap();
        match kind {
            3 | 4 => {
                let overlap = if kind == 3 || known.unsure || known.live.len() > 1 { 0 } else { 3_600 };
                let before = known.live.clone();
                known.unsure = true;
                if overlap == 0 {
                    known.live.clear();
                }
                let answer = self.send("POST", &format!("{path}/rotate-key"), Some(json!({ "overlap_seconds": overlap })))?;
                let known = self.domains.get_mut(&id).unwrap();
                known.unsure = false;
                if overlap == 0 {
                    known.dead.extend(before.into_values());
                }
                let key = answer["cname_api_key"].as_str().unwrap().to_owned();
                known.live.insert(answer["key_id"].as_str().unwrap().to_owned(), key);
            }
            5 => {
                let Some((key_id, key)) = known.live.pop_first() else { return Ok(()) };
                // An answer that is lost says nothing about the key.
                let unsure = std::mem::replace(&mut known.unsure, true);
                self.send("DELETE", &format!("{path}/keys/{key_id}"), None)?;
                let known = self.domains.get_mut(&id).unwrap();
                known.unsure = unsure;
                known.dead.insert(key);
            }
            6 => {
                let note = format!("n{}", self.sent);
                known.notes = None;
                self.send("PATCH", &path, Some(json!({ "domain_metadata": { "note": note } })))?;
                self.domains.get_mut(&id).unwrap().notes = Some(note);
            }
            _ => {
                let known = self.domains.remove(&id).unwrap();
                self.send("DELETE", &path, None)?;
                let dead = known.live.into_values().chain(known.dead).collect();
                self.domains.insert(id, Known { name: known.name, dead, ..Known::default() });
            }
        }
        Ok(())
    }

    fn create(&mut self) -> Result<(), Gone> {
        let name = format!("d{}.customer.example", self.sent);
        let created = self.send("POST", DOMAINS, Some(new(&name)))?;
        let id = created["custom_domain_id"].as_str().unwrap().to_owned();
        self.domains.insert(id.clone(), Known { name, exists: true, ..Known::default() });
        self.office.prove(&created);
        let path = format!("{DOMAINS}/{id}");
        let key = self.send("POST", &format!("{path}/verify"), None)?["cname_api_key"].as_str().unwrap().to_owned();
        let key_id = self.last_key(&path)?;
        self.domains.get_mut(&id).unwrap().live.insert(key_id, key);
        Ok(())
    }

    /// The id of a domain's last key. The key stands without it, so that a kill in between loses nothing.
    fn last_key(&mut self, path: &str) -> Result<String, Gone> {
        let keys = self.send("GET", &format!("{path}/keys"), None)?;
        self.acknowledged -= 1;
        Ok(keys.as_array().unwrap().last().unwrap()["key_id"].as_str().unwrap().to_owned())
    }

    fn check(&self, person: &Person) {
        for (id, known) in &self.domains {
            let found = self.office.ask("GET", &format!("{DOMAINS}/{id}"), None);
            assert_eq!(found.status, if known.exists { 200 } else { 404 }, "{}", known.name);
            if let Some(note) = &known.notes {
                assert_eq!(found.json()["domain_metadata"]["note"], *note, "{}", known.name);
            }
            let knock = |key: &str| {
                let request = Request::get("/").of(person).instead("Host", &known.name).instead("cname-api-key", key);
                answered(&self.office.bank.vestibule, &request)
            };
            for key in known.live.values() {
                assert_eq!(knock(key), 200, "{}: {}", known.name, self.office.bank.vestibule.diagnostics());
            }
            for key in &known.dead {
                assert_eq!(knock(key), 403, "{}", known.name);
            }
        }
        self.office.bank.upstream.take();
    }
}

#[test]
fn two_hundred_random_writes_and_kills() {
    println!("seed {SEED:#x}");
    let (mut office, person) = (Office::open(), good());
    let (mut random, mut domains, mut acknowledged, mut sent, mut kills) = (Random(SEED), BTreeMap::new(), 0, 0, 0);
    while acknowledged < WRITES {
        let pid = office.bank.vestibule.pid().to_string();
        // After some writes, at whatever instant of the next one.
        let (writes, wait) = (acknowledged + 3 + random.below(12), Duration::from_micros(random.below(12_000) as u64));
        let told = Arc::new(AtomicUsize::new(acknowledged));
        let watched = Arc::clone(&told);
        let killer = std::thread::spawn(move || {
            while watched.load(Ordering::Relaxed) < writes {
                std::thread::sleep(Duration::from_micros(200));
            }
            std::thread::sleep(wait);
            Command::new("kill").arg("-KILL").arg(pid).status().unwrap();
        });
        let mut writer = Writer { office: &office, random, domains, acknowledged, told, sent };
        while writer.write().is_ok() {}
        (random, domains, acknowledged, sent) = (writer.random, writer.domains, writer.acknowledged, writer.sent);
        killer.join().unwrap();
        kills += 1;
        office.bank.vestibule.kill_and_restart();
        let writer = Writer { office: &office, random, domains, acknowledged, told: Arc::default(), sent };
        writer.check(&person);
        (random, domains) = (writer.random, writer.domains);
    }
    let live: usize = domains.values().map(|known| known.live.len()).sum();
    let dead: usize = domains.values().map(|known| known.dead.len()).sum();
    println!("{acknowledged} writes, {kills} kills, {live} keys that work, {dead} that do not");
    assert!(kills >= 10 && live >= 1 && dead >= 10, "{kills} {live} {dead}");
}
