//! The demo's folder, and the real program that runs on it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use openssl::error::ErrorStack;

use super::pki::{Pair, Pki};

/// The longest that the program may take to listen, and that an access line is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);
/// Between our look for a free port and the program's bind somebody else may take it.
const TRIES: u32 = 5;

/// A folder with everything in it, and the program. Dropped, both are gone.
pub(super) struct Site {
    folder: PathBuf,
    program: Mutex<Option<Child>>,
    address: SocketAddr,
}

impl Site {
    /// Writes the folder and starts the program.
    pub(super) fn open(pki: &Pki, upstream: SocketAddr) -> io::Result<Self> {
        let folder = new_folder()?;
        let mut site = Self { folder, program: Mutex::new(None), address: free_address()? };
        site.write_pki(pki)?;
        site.write("tenants/bank.toml", include_str!("tenant.toml").replace("UPSTREAM", &upstream.to_string()).as_bytes())?;
        for _ in 0..TRIES {
            if site.start()? {
                return Ok(site);
            }
            site.address = free_address()?;
        }
        Err(io::Error::other(format!("the server does not start: {}", site.diagnostics())))
    }

    /// Where the program listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A file or folder below.
    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.folder.join(below)
    }

    /// What the program wrote to stderr.
    pub(super) fn diagnostics(&self) -> String {
        fs::read_to_string(self.path("diagnostics.log")).unwrap_or_default()
    }

    /// The access line of a request.
    pub(super) fn access_line(&self, request_id: &str) -> Option<serde_json::Value> {
        let patience = Instant::now() + PATIENCE;
        loop {
            let text = fs::read_to_string(self.path("access.log")).unwrap_or_default();
            if let Some(line) = text.lines().find(|line| line.contains(request_id)) {
                return serde_json::from_str(line).ok();
            }
            if Instant::now() > patience {
                return None;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Ends the program and removes the folder.
    pub(super) fn close(&self) {
        let mut program = self.program.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut program) = program.take() {
            let _ = program.kill();
            let _ = program.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }

    /// False when it ended at once: its port was taken.
    fn start(&self) -> io::Result<bool> {
        let process = include_str!("process.toml").replace("PORT", &self.address.port().to_string());
        self.write("vestibule.toml", process.as_bytes())?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", "--config"])
            .arg(&self.folder)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(self.path("diagnostics.log"))?)
            .spawn()?;
        let patience = Instant::now() + PATIENCE;
        while child.try_wait()?.is_none() && Instant::now() < patience {
            // It says so when it listens; somebody else on the port says nothing here.
            let ready = self.diagnostics().contains("\"message\":\"ready\"");
            if ready && TcpStream::connect_timeout(&self.address, PATIENCE).is_ok() {
                *self.program.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
                return Ok(true);
            }
            std::thread::sleep(LOOK);
        }
        let _ = child.kill();
        let _ = child.wait();
        Ok(false)
    }

    fn write_pki(&self, pki: &Pki) -> io::Result<()> {
        self.write_pair("tls/server", &pki.server)?;
        self.write("server-ca.pem", &pki.server_ca.to_pem()?)?;
        self.write("trusted-ca/clients-root.pem", &pki.clients_root.to_pem()?)?;
        self.write("trusted-ca/clients-issuing.pem", &pki.clients_issuing.to_pem()?)?;
        let crls = pki.crls.iter().map(|crl| crl.to_pem()).collect::<Result<Vec<_>, ErrorStack>>()?;
        self.write("crl/clients.pem", &crls.concat())?;
        pki.clients.iter().try_for_each(|(name, pair)| self.write_pair(&format!("client/{name}"), pair))
    }

    fn write_pair(&self, name: &str, pair: &Pair) -> io::Result<()> {
        self.write(&format!("{name}.pem"), &pair.certificate.to_pem()?)?;
        self.write(&format!("{name}.key"), &pair.key.private_key_to_pem_pkcs8()?)
    }

    fn write(&self, below: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.write_all(bytes)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.close();
    }
}

/// A new folder that nobody else may look into.
fn new_folder() -> io::Result<PathBuf> {
    let number = getrandom::u64().map_err(io::Error::other)?;
    let folder = std::env::temp_dir().join(format!("vestibule-demo-{number:016x}"));
    DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}
