//! The front doors that `vestibule front-door` prints for nginx, as in `nginx/` but for ports and secrets, run by a real nginx.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::bank::{Bank, DOMAIN, KEY, Person, Tenant, authorities, pem, server};
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

/// A running nginx with the configuration that `vestibule front-door` prints, but for ports and secrets.
pub(crate) struct NginxDoor {
    /// The port that proxies to Vestibule.
    pub(crate) proxy: u16,
    /// The port that asks Vestibule and proxies by itself.
    pub(crate) asking: u16,
    _nginx: Nginx,
    _folder: TempDir,
}

impl NginxDoor {
    /// Opens it before a program with this configuration folder; `application` is the port that the asking one proxies to.
    pub(crate) fn open(config: &Path, application: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (proxy, asking) = (free_port(), free_port());
        let at = |port: u16| format!("127.0.0.1:{port}");
        let printed = Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .args(["front-door", "nginx", "--kind", "nginx", "--config"])
            .arg(config)
            .args(["--out".as_ref(), folder.path().as_os_str(), "--folder".as_ref(), folder.path().as_os_str()])
            .args(["--listen", &at(proxy), "--listen-http", &at(free_port()), "--listen-asking", &at(asking)])
            .args(["--application", &at(application)])
            .output()
            .unwrap();
        assert!(printed.status.success(), "{printed:?}");
        let http =
            ["vestibule.conf", "auth-request.conf"].map(|file| std::fs::read_to_string(folder.path().join(file)).unwrap());
        write_secrets(folder.path());
        let nginx = Nginx::start(&http.concat(), folder.path());
        Self { proxy, asking, _nginx: nginx, _folder: folder }
    }
}

fn write_secrets(folder: &Path) {
    let server = server();
    let chain = pem(&server.certificate) + &pem(&authorities().issuing.certificate);
    std::fs::write(folder.join(format!("{DOMAIN}.pem")), chain).unwrap();
    std::fs::write(folder.join(format!("{DOMAIN}.key")), server.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    std::fs::write(folder.join("vestibule-key"), format!("{DOMAIN} \"{KEY}\";\n")).unwrap();
}

/// A request as a browser sends it.
pub(crate) fn get(target: &str, lines: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nhost: {}\r\n{lines}\r\n", crate::bank::DOMAIN)
}
