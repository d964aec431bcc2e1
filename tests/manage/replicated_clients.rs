//! Clients of one PostgreSQL that two processes share, and of the snapshot of one that starts while it is away.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bank::{DOMAIN, KEY};
use crate::bank::{Person, files};
use crate::dns_server::DnsServer;
use crate::oauth_clients::{at_token, itself, new, tenant, x509_cert};
use crate::office::{OFTEN, TOKEN, ask, management};
use crate::recording_upstream::RecordingUpstream;
use crate::store::Store;
use crate::vestibule_program::{Vestibule, wait_until};

const CLIENTS: &str = "/api/v2/clients";

struct Pair {
    replicas: [Vestibule; 2],
    _upstream: RecordingUpstream,
    _dns: DnsServer,
    store: Store,
}

impl Pair {
    fn open() -> Self {
        let (upstream, dns, store) = (RecordingUpstream::start(), DnsServer::start(), Store::alone());
        let mut files = files(&[(tenant(""), upstream.url())]);
        files[0].1.push_str(&management(&dns, OFTEN));
        files[0].1.push_str(&format!("{}snapshot_file = \"kept\"\n", store.lines()));
        Self { replicas: [Vestibule::start(&files), Vestibule::start(&files)], _upstream: upstream, _dns: dns, store }
    }

    fn change(&self, replica: usize, method: &str, path: &str, body: Option<Value>) {
        let answer = ask(self.replicas[replica].admin_port(), TOKEN, method, &format!("{CLIENTS}{path}"), body);
        assert!((200..300).contains(&answer.status), "{}", answer.text());
    }

    fn asks(&self, replica: usize, person: &Person) -> u16 {
        self.replicas[replica].ask(at_token(DOMAIN, KEY, "app").of(person).text()).status
    }

    /// At once where the change was made, within a second at the other one.
    fn settles(&self, changed: usize, person: &Person, status: u16) {
        assert_eq!(self.asks(changed, person), status);
        let bound = Instant::now() + Duration::from_secs(1);
        while self.asks(1 - changed, person) != status && Instant::now() < bound {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(self.asks(1 - changed, person), status);
    }
}

#[test]
fn a_change_of_a_client_reaches_every_process() {
    let mut pair = Pair::open();
    let (app, other) = (itself("app"), itself("app"));
    pair.change(0, "POST", "", Some(new("app", "self_signed_tls_client_auth", &x509_cert(&app.certificate))));
    pair.settles(0, &app, 200);
    assert_eq!(pair.asks(1, &other), 401);
    let secret = json!({ "client_authentication_methods": null, "token_endpoint_auth_method": "none" });
    pair.change(1, "PATCH", "/app", Some(secret));
    pair.settles(1, &other, 200);
    pair.change(0, "DELETE", "/app", None);
    pair.settles(0, &app, 401);

    // A process that starts while the database is away has them from its snapshot.
    pair.change(1, "POST", "", Some(new("app", "self_signed_tls_client_auth", &x509_cert(&app.certificate))));
    pair.settles(1, &app, 200);
    let kept = pair.replicas[0].folder().join("kept");
    let text = || std::fs::read_to_string(&kept).unwrap();
    wait_until(|| text().contains("\"id\":\"app\""), text);
    pair.store.database.server.stop();
    pair.replicas[0].kill_and_restart();
    assert_eq!([&app, &other].map(|person| pair.asks(0, person)), [200, 401]);
}
