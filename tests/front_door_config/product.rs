//! Runs a product with the configuration that the program prints for it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::bank::{Bank, DOMAIN, KEY, Tenant, authorities, pem, server};
use crate::http_client::Answer;
use crate::ports::free_port;
use crate::recording_upstream::RecordingUpstream;
use crate::tls::{Hello, connect};

/// The products that run here.
pub(crate) const RUNNING: [&str; 4] = ["nginx", "haproxy", "apache", "caddy"];

/// An exact edit of a file of a printed configuration. `{vestibule}` stands for Vestibule's port.
pub(crate) struct Edit(pub(crate) &'static str, pub(crate) &'static str, pub(crate) &'static str);

impl Edit {
    fn apply(&self, folder: &Path, vestibule: u16) {
        let Self(file, from, to) = self;
        let to = to.replace("{vestibule}", &vestibule.to_string());
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let edited = text.replace(from, &to);
        assert!(text.contains(from) && edited != text, "{file} has no {from:?}:\n{text}");
        fs::write(folder.join(file), edited).unwrap();
    }
}

/// A bank behind a product.
pub(crate) struct FrontDoor {
    pub(crate) bank: Bank,
    pub(crate) kind: &'static str,
    pub(crate) https: u16,
    pub(crate) http: u16,
    child: Child,
    folder: TempDir,
}

impl FrontDoor {
    pub(crate) fn open(kind: &'static str) -> Self {
        Self::with(kind, &Tenant::default(), &[])
    }

    pub(crate) fn with(kind: &'static str, tenant: &Tenant, arguments: &[&str]) -> Self {
        Self::before(kind, Bank::before(tenant, RecordingUpstream::start()), arguments)
    }

    pub(crate) fn before(kind: &'static str, bank: Bank, arguments: &[&str]) -> Self {
        Self::edited(kind, bank, arguments, &[])
    }

    /// With exact edits of the printed text: each must be found.
    pub(crate) fn edited(kind: &'static str, bank: Bank, arguments: &[&str], edits: &[Edit]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The product's workers are other users than who started it.
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let (https, http, asking) = (free_port(), free_port(), free_port());
        let printed = printed(bank.vestibule.folder(), kind, |command| {
            command.args(["--out".as_ref(), folder.path().as_os_str(), "--folder".as_ref(), folder.path().as_os_str()]);
            command.args(["--listen", &format!("127.0.0.1:{https}"), "--listen-http", &format!("127.0.0.1:{http}")]);
            command.args(["--listen-asking", &format!("127.0.0.1:{asking}")]);
            if user() != "root" {
                command.args(["--run-as", &user()]);
            }
            command.args(arguments);
        });
        assert!(printed.status.success(), "{kind}: {printed:?}");
        write_secrets(folder.path(), kind);
        for edit in edits {
            edit.apply(folder.path(), bank.vestibule.port());
        }
        if edits.is_empty() {
            accepted(folder.path(), kind);
        }
        let child = start(folder.path(), kind);
        let mut door = Self { bank, kind, https, http, child, folder };
        door.wait();
        door
    }

    /// One request on a connection of its own; status 0 when the product ended the connection without an answer.
    pub(crate) fn ask(&self, hello: &Hello<'_>, request: impl AsRef<[u8]>) -> Answer {
        match connect(self.https, hello) {
            Some(mut client) => client.ask(request),
            None => Answer { status: 0, headers: Vec::new(), body: Vec::new(), complete: false },
        }
    }

    /// What the product printed and logged.
    pub(crate) fn said(&self) -> String {
        let read = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        ["output.log", "error.log", "access.log"].map(read).concat()
    }

    fn wait(&mut self) {
        let patience = Instant::now() + Duration::from_secs(20);
        for port in [self.https, self.http] {
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                let ended = self.child.try_wait().unwrap();
                assert!(ended.is_none() && Instant::now() < patience, "{} does not listen: {}", self.kind, self.said());
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

impl Drop for FrontDoor {
    fn drop(&mut self) {
        // Its own process group: nginx and Apache have workers.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-TERM", "--", &group]).stderr(Stdio::null()).status();
        let patience = Instant::now() + Duration::from_secs(5);
        while self.child.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

/// Runs `vestibule front-door nginx` on a configuration folder.
pub(crate) fn printed(config: &Path, kind: &str, with: impl FnOnce(&mut Command)) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.args(["front-door", "nginx", "--kind", kind, "--config"]).arg(config);
    with(&mut command);
    command.output().unwrap()
}

fn user() -> String {
    String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap().trim().to_owned()
}

/// The files that the output asks for.
pub(crate) fn write_secrets(folder: &Path, kind: &str) {
    let server = server();
    let chain = pem(&server.certificate) + &pem(&authorities().issuing.certificate);
    let key = String::from_utf8(server.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    let certificate = format!("{DOMAIN}.pem");
    if kind == "haproxy" {
        private(&folder.join(certificate), &(chain + &key));
    } else {
        private(&folder.join(certificate), &chain);
        private(&folder.join(format!("{DOMAIN}.key")), &key);
    }
    private(&folder.join("clients-ca.pem"), &pem(&authorities().root.certificate));
    let (file, text) = match kind {
        "nginx" => ("vestibule-key".to_owned(), format!("{DOMAIN} \"{KEY}\";\n")),
        "haproxy" => ("vestibule-key".to_owned(), format!("{DOMAIN} {KEY}\n")),
        "apache" => (format!("vestibule-key.{DOMAIN}"), format!("RequestHeader set cname-api-key \"{KEY}\"\n")),
        "caddy" => (format!("vestibule-key.{DOMAIN}"), format!("header_up cname-api-key \"{KEY}\"\n")),
        other => panic!("{other} does not run here"),
    };
    private(&folder.join(file), &text);
    let signature = openssl::base64::encode_block(SIGNATURE_KEY);
    let text = if kind == "haproxy" { format!("edge1 {signature}\n") } else { format!("default \"{signature}\";\n") };
    private(&folder.join("vestibule-key.signature"), &text);
}

/// The key of signatures, where they are asked for.
pub(crate) const SIGNATURE_KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

fn private(path: &Path, text: &str) {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// The product's own check of its configuration.
fn accepted(folder: &Path, kind: &str) {
    let mut command = command(folder, kind);
    match kind {
        "nginx" => command.arg("-t"),
        "haproxy" => command.arg("-c"),
        "apache" => command.arg("-t"),
        "caddy" => {
            command = caddy(folder);
            command.args(["validate", "--adapter", "caddyfile", "--config"]).arg(folder.join("Caddyfile"))
        }
        other => panic!("{other} does not run here"),
    };
    let checked = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&checked.stdout), String::from_utf8_lossy(&checked.stderr));
    assert!(checked.status.success(), "{kind}: {said}");
    assert!(!said.contains("warn]") && !said.contains("[WARNING]"), "{kind}: {said}");
}

fn start(folder: &Path, kind: &str) -> Child {
    let mut command = command(folder, kind);
    match kind {
        "nginx" => command.args(["-g", "daemon off;"]),
        "haproxy" => command.arg("-db"),
        "apache" => command.arg("-DFOREGROUND"),
        _ => &mut command,
    };
    let output = fs::File::create(folder.join("output.log")).unwrap();
    command.process_group(0).stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap()
}

fn command(folder: &Path, kind: &str) -> Command {
    let mut command = match kind {
        "nginx" => Command::new(program("nginx")),
        "haproxy" => Command::new(program("haproxy")),
        "apache" => Command::new(program("apache2")),
        _ => caddy(folder),
    };
    match kind {
        "nginx" => {
            command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf")).arg("-e").arg(folder.join("error.log"))
        }
        "haproxy" => command.arg("-f").arg(folder.join("haproxy.cfg")),
        "apache" => command.arg("-d").arg(folder).arg("-f").arg(folder.join("apache2.conf")),
        _ => command.args(["run", "--adapter", "caddyfile", "--config"]).arg(folder.join("Caddyfile")),
    };
    command
}

/// Caddy keeps files of its own.
fn caddy(folder: &Path) -> Command {
    let mut command = Command::new(program("caddy"));
    command.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
    command
}

/// A program in `PATH` or in the folders of system programs, which are not in everybody's `PATH`.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let found = folders.map(|folder| folder.join(name)).find(|program| program.is_file());
    found.unwrap_or_else(|| panic!("{name} is missing; scripts/install-missing installs it"))
}
