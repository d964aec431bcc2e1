//! Purpose: a DNS server on 127.0.0.1 whose records a test sets, and that remembers what it was asked.
//!
//! Include with `#[path = "support/dns_server.rs"] mod dns_server;`.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};

/// What stands at a name.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    Txt(Vec<String>),
    Cname(String),
    Address([u8; 4]),
    /// Many TXT records, each of one text.
    Txts(Vec<String>),
    /// A TXT record; the server does not answer what else is asked.
    TxtAlone(String),
    /// Every answer leads back to the name.
    Loop,
    /// The server fails.
    Broken,
    /// The server does not answer.
    Silent,
}

#[derive(Default)]
struct Zone {
    entries: BTreeMap<String, Entry>,
    asked: Vec<(String, RecordType)>,
}

/// A running server. Its thread ends with it.
pub(crate) struct DnsServer {
    port: u16,
    zone: Arc<Mutex<Zone>>,
    running: Arc<()>,
}

impl DnsServer {
    pub(crate) fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let (port, zone, running) = (socket.local_addr().unwrap().port(), Arc::<Mutex<Zone>>::default(), Arc::new(()));
        let (shared, alive) = (Arc::clone(&zone), Arc::downgrade(&running));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while alive.upgrade().is_some() {
                let Ok((length, from)) = socket.recv_from(&mut bytes) else { continue };
                if let Some(answer) = answer(&bytes[..length], &mut shared.lock().unwrap()) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Self { port, zone, running }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        assert_eq!(Arc::strong_count(&self.running), 1);
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn set(&self, name: &str, entry: Entry) {
        self.zone.lock().unwrap().entries.insert(name.to_ascii_lowercase(), entry);
    }

    pub(crate) fn txt(&self, name: &str, value: &str) {
        self.set(name, Entry::Txt(vec![value.to_owned()]));
    }

    pub(crate) fn remove(&self, name: &str) {
        self.zone.lock().unwrap().entries.remove(name);
    }

    /// How often a name was asked for.
    pub(crate) fn asked(&self, name: &str) -> usize {
        self.zone.lock().unwrap().asked.iter().filter(|(asked, _)| asked == name).count()
    }
}

fn answer(bytes: &[u8], zone: &mut Zone) -> Option<Vec<u8>> {
    let asked = Message::from_vec(bytes).ok()?;
    let question = asked.queries.first()?.clone();
    let name = question.name().to_ascii().trim_end_matches('.').to_ascii_lowercase();
    zone.asked.push((name.clone(), question.query_type()));
    let mut answer = Message::response(asked.metadata.id, OpCode::Query);
    answer.metadata.recursion_available = true;
    answer.add_query(question.clone());
    if let (Some(Entry::Txts(texts)), RecordType::TXT) = (zone.entries.get(&name), question.query_type()) {
        for text in texts {
            let datum = RData::TXT(TXT::new(vec![text.clone()]));
            answer.add_answer(Record::from_rdata(question.name().clone(), 60, datum));
        }
    }
    let datum = match (zone.entries.get(&name), question.query_type()) {
        (None, _) => {
            answer.metadata.response_code = ResponseCode::NXDomain;
            None
        }
        (Some(Entry::TxtAlone(text)), RecordType::TXT) => Some(RData::TXT(TXT::new(vec![text.clone()]))),
        (Some(Entry::Silent | Entry::TxtAlone(_)), _) => return None,
        (Some(Entry::Loop), _) => Some(RData::CNAME(CNAME(question.name().clone()))),
        (Some(Entry::Broken), _) => {
            answer.metadata.response_code = ResponseCode::ServFail;
            None
        }
        (Some(Entry::Txt(texts)), RecordType::TXT) => Some(RData::TXT(TXT::new(texts.clone()))),
        (Some(Entry::Cname(target)), RecordType::CNAME) => {
            Some(RData::CNAME(CNAME(Name::from_ascii(format!("{target}.")).unwrap())))
        }
        (Some(Entry::Address([a, b, c, d])), RecordType::A) => Some(RData::A(A::new(*a, *b, *c, *d))),
        (Some(_), _) => None,
    };
    if let Some(datum) = datum {
        answer.add_answer(Record::from_rdata(question.name().clone(), 60, datum));
    }
    answer.to_vec().ok()
}
