//! A bank whose Vestibule can be probed, and the command that probes it.

use std::process::Command;

use serde_json::Value;

use crate::bank::{Bank, DOMAIN, Person, Tenant, authorities, files, pem};
use crate::product::{Edit, FrontDoor};
use crate::recording_upstream::RecordingUpstream;
use crate::vestibule_program::Vestibule;

/// 32 bytes in base64.
pub(crate) const SECRET: &str = "cHJvYmUtcHJvYmUtcHJvYmUtcHJvYmUtcHJvYmUtMDE=";

pub(crate) fn bank(tenant: &Tenant) -> Bank {
    let upstream = RecordingUpstream::start();
    let mut files = files(&[(tenant.clone(), upstream.url())]);
    let process = files.iter_mut().find(|(name, _)| name == "vestibule.toml").unwrap();
    process.1.push_str("\n[probe]\nsecret_file = \"secrets/probe\"\n");
    files.push(("secrets/probe".into(), SECRET.into()));
    Bank { vestibule: Vestibule::start(&files), upstream }
}

/// A front door where the domain's own name asks nobody for a certificate, and its alias asks everybody.
pub(crate) fn door(kind: &'static str, edits: &[Edit]) -> FrontDoor {
    FrontDoor::edited(kind, bank(&Tenant::default()), &["--ask", "aliases"], edits)
}

/// What a probe said.
pub(crate) struct Probed {
    pub(crate) code: Option<i32>,
    pub(crate) json: Value,
    pub(crate) said: String,
}

impl Probed {
    /// The checks that ended so: host, check, detail and mend in one line each.
    pub(crate) fn ended(&self, result: &str) -> Vec<String> {
        let checks = self.json["checks"].as_array().unwrap();
        let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
        checks
            .iter()
            .filter(|check| check["result"] == result)
            .map(|check| ["host", "check", "detail", "mend"].map(|key| text(check, key)).join(" | "))
            .collect()
    }
}

/// The command for both names of a front door.
pub(crate) fn command(door: &FrontDoor, person: Option<&Person>) -> (Command, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("ca.pem", &pem(&authorities().root.certificate));
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.args(["probe", "--kind", door.kind, "--config"]).arg(door.bank.vestibule.folder());
    command.arg("--ca").arg(folder.path().join("ca.pem"));
    command.args(["--connect", &format!("127.0.0.1:{}", door.https)]);
    command.args(["--http-url", &format!("http://{DOMAIN}:{}", door.http)]);
    command.args(["--direct", &format!("127.0.0.1:{}", door.bank.vestibule.port())]);
    if let Some(person) = person {
        write("client.pem", &pem(&person.certificate));
        write("client.key", &String::from_utf8(person.key.private_key_to_pem_pkcs8().unwrap()).unwrap());
        command.arg("--client-certificate").arg(folder.path().join("client.pem"));
        command.arg("--client-key").arg(folder.path().join("client.key"));
    }
    command.args([DOMAIN, &format!("mtls.{DOMAIN}")].map(|host| format!("https://{host}:{}", door.https)));
    (command, folder)
}

pub(crate) fn probe(door: &FrontDoor, person: Option<&Person>) -> Probed {
    let (mut command, _folder) = command(door, person);
    let output = command.arg("--json").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {said} {}", door.said()));
    Probed { code: output.status.code(), json, said }
}
