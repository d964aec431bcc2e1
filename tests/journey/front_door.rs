//! The front doors of `nginx/`, as they are in the repository but for ports and secrets, run by a real nginx.

use std::path::Path;

use tempfile::TempDir;

use crate::bank::{Bank, KEY, Person, Tenant, authorities, pem, server};
use crate::http_client::{Answer, Client};
use crate::nginx::Nginx;
use crate::ports::free_port;
use crate::recording_upstream::RecordingUpstream;
use crate::tls_client;

/// A bank behind nginx.
pub(crate) struct FrontDoor {
    pub(crate) bank: Bank,
    /// The port that proxies to Vestibule.
    pub(crate) proxy: u16,
    /// The port that asks Vestibule and proxies by itself.
    pub(crate) asking: u16,
    _nginx: Nginx,
    _folder: TempDir,
}

impl FrontDoor {
    pub(crate) fn open() -> Self {
        Self::with(&Tenant::default(), RecordingUpstream::start())
    }

    pub(crate) fn with(tenant: &Tenant, upstream: RecordingUpstream) -> Self {
        let bank = Bank::before(tenant, upstream);
        let folder = tempfile::tempdir().unwrap();
        let (proxy, asking) = (free_port(), free_port());
        let at = |path: &str| format!("{}/nginx/{path}", env!("CARGO_MANIFEST_DIR"));
        for file in ["vestibule-tls.conf", "vestibule-headers.conf", "vestibule-proxy.conf", "auth-request-protected.conf"] {
            std::fs::copy(at(file), folder.path().join(file)).unwrap();
        }
        let mut http = std::fs::read_to_string(at("vestibule.conf")).unwrap();
        http.push_str(&std::fs::read_to_string(at("auth-request.conf")).unwrap());
        for (theirs, ours) in [
            ("listen 443 ", format!("listen 127.0.0.1:{proxy} ")),
            ("listen 8443 ", format!("listen 127.0.0.1:{asking} ")),
            ("server 127.0.0.1:8080 ", format!("server 127.0.0.1:{} ", bank.vestibule.port())),
            ("server 127.0.0.1:9000;", format!("server 127.0.0.1:{};", bank.upstream.port())),
        ] {
            assert!(http.contains(theirs), "{theirs}");
            http = http.replace(theirs, &ours);
        }
        write_secrets(folder.path());
        let nginx = Nginx::start(&http, folder.path());
        Self { bank, proxy, asking, _nginx: nginx, _folder: folder }
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

fn write_secrets(folder: &Path) {
    let server = server();
    let chain = pem(&server.certificate) + &pem(&authorities().issuing.certificate);
    std::fs::write(folder.join("vestibule-server.pem"), chain).unwrap();
    std::fs::write(folder.join("vestibule-server.key"), server.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    std::fs::write(folder.join("vestibule-key.conf"), format!("proxy_set_header cname-api-key \"{KEY}\";\n")).unwrap();
}

/// A request as a browser sends it.
pub(crate) fn get(target: &str, lines: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nhost: {}\r\n{lines}\r\n", crate::bank::DOMAIN)
}
