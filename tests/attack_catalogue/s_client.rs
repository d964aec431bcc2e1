//! `openssl s_client`, which keeps a TLS session in a file and resumes it on another connection, also under another name.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::bank::{Person, pem};

/// A connection for a name.
pub(crate) struct Connection<'c> {
    pub(crate) port: u16,
    pub(crate) name: &'c str,
    /// `-tls1_2` or `-tls1_3`.
    pub(crate) version: &'c str,
    pub(crate) person: Option<&'c Person>,
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Spoken {
    /// Whether the session was resumed.
    pub(crate) reused: bool,
    /// 0 without an answer.
    pub(crate) status: u16,
}

impl Connection<'_> {
    /// One GET; the session is read from and written to files of the folder.
    pub(crate) fn get(&self, folder: &Path, resumed: bool) -> Spoken {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-connect", &format!("127.0.0.1:{}", self.port), "-servername", self.name, self.version]);
        command.arg("-ign_eof");
        command.arg(if resumed { "-sess_in" } else { "-sess_out" }).arg(folder.join("session"));
        if let Some(person) = self.person {
            let (certificate, key) = (folder.join("client.pem"), folder.join("client.key"));
            std::fs::write(&certificate, pem(&person.certificate)).unwrap();
            std::fs::write(&key, person.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
            command.arg("-cert").arg(certificate).arg("-key").arg(key);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let request = format!("GET /public/ HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.name);
        let _ = child.stdin.take().unwrap().write_all(request.as_bytes());
        let said = String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned();
        let status = said.lines().find_map(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok());
        Spoken { reused: said.contains("\nReused, "), status: status.unwrap_or(0) }
    }
}
