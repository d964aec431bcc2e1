//! A bank behind a real nginx.

use crate::bank::{Bank, Person, Tenant};
use crate::http_client::{Answer, Client};
use crate::nginx_door::NginxDoor;
use crate::recording_upstream::RecordingUpstream;
use crate::tls_client;

/// A bank behind nginx.
pub(crate) struct FrontDoor {
    pub(crate) bank: Bank,
    /// The port that proxies to Vestibule.
    pub(crate) proxy: u16,
    /// The port that asks Vestibule and proxies by itself.
    pub(crate) asking: u16,
    _nginx: NginxDoor,
}

impl FrontDoor {
    pub(crate) fn open() -> Self {
        Self::with(&Tenant::default(), RecordingUpstream::start())
    }

    pub(crate) fn with(tenant: &Tenant, upstream: RecordingUpstream) -> Self {
        let bank = Bank::before(tenant, upstream);
        let nginx = NginxDoor::open(bank.vestibule.folder(), bank.upstream.port());
        Self { bank, proxy: nginx.proxy, asking: nginx.asking, _nginx: nginx }
    }

    /// A connection to the proxying front door.
    pub(crate) fn connect(&self, person: Option<&Person>) -> Client {
        tls_client::connect(self.proxy, person)
    }

    /// A request through the proxying front door.
    pub(crate) fn ask(&self, person: Option<&Person>, request: impl AsRef<[u8]>) -> Answer {
        self.connect(person).ask(request)
    }

    /// A request through the asking front door.
    pub(crate) fn ask_asking(&self, person: Option<&Person>, request: impl AsRef<[u8]>) -> Answer {
        tls_client::connect(self.asking, person).ask(request)
    }
}

/// A request as a browser sends it.
pub(crate) fn get(target: &str, lines: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nhost: {}\r\n{lines}\r\n", crate::bank::DOMAIN)
}
