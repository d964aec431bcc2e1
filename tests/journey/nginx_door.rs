//! The front doors that `vestibule front-door` prints for nginx, as in `nginx/` but for ports and secrets, run by a real nginx.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::bank::{DOMAIN, KEY, authorities, pem, server};
use crate::nginx::Nginx;
use crate::ports::free_port;

/// A running nginx.
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
