//! The command line.

use std::process::{Command, Output};

use crate::bank::{Bank, DOMAIN, Tenant};
use crate::ports::free_port;
use crate::set_up::bank;

fn run(bank: &Bank, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.args(["probe", "--config"]).arg(bank.vestibule.folder()).args(arguments).output().unwrap()
}

#[test]
fn wrong_command_lines_are_refused_with_the_mend() {
    let (on, off) = (bank(&Tenant::default()), Bank::open());
    let own = format!("https://{DOMAIN}");
    for (bank, arguments, said) in [
        (&off, vec![own.as_str()], "has no [probe]: set secret_file"),
        (&on, vec![], "<URL>..."),
        (&on, vec!["https://other.example"], "accepted: api.bank.example, mtls.api.bank.example"),
        (&on, vec!["http://api.bank.example"], "accepted: \"https://host\""),
        (&on, vec!["--connect", "nowhere", &own], "`nowhere` is no address"),
        (&on, vec!["--connect", "127.0.0.1:1", "--http-url", "https://x", &own], "accepted: \"http://host\""),
        (&on, vec!["--connect", "127.0.0.1:1", "--ca", "/nowhere.pem", &own], "`/nowhere.pem` cannot be read"),
        (&on, vec!["--client-certificate", "x", &own], "--client-key"),
        (&on, vec!["--kind", "iis", &own], "possible values: nginx"),
    ] {
        let output = run(bank, &arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), text.contains(said)), (Some(64), true), "{arguments:?}: {text}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn where_nobody_listens_nothing_is_called_good() {
    let bank = bank(&Tenant::default());
    let place = format!("127.0.0.1:{}", free_port());
    let output = run(&bank, &["--connect", &place, &format!("https://{DOMAIN}")]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("FAIL       a request reaches Vestibule: no connection: "), "{text}");
    assert!(text.contains("not tried  everything else"), "{text}");
}

#[test]
fn past_the_front_door_somebody_who_proves_nothing_is_found() {
    // A network as the only proof, and everybody on this machine is in it.
    let bank = bank(&Tenant::default());
    let tenant = std::fs::read_to_string(bank.vestibule.folder().join("tenants/bank.toml")).unwrap();
    let edited = tenant.replace("proofs = [\"api_key\"]", "proofs = [\"network\"]\nnetworks = [\"127.0.0.0/8\"]");
    let edited: String =
        edited.lines().filter(|line| !line.starts_with("cname_api_keys")).map(|line| format!("{line}\n")).collect();
    assert_ne!(edited, tenant);
    bank.vestibule.replace_file("tenants/bank.toml", &edited);
    bank.vestibule.wait_for_diagnostics("configuration taken");
    let (nowhere, direct) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", bank.vestibule.port()));
    let output = run(&bank, &["--connect", &nowhere, "--direct", &direct, &format!("https://{DOMAIN}")]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("FAIL       Vestibule past the front door: Vestibule took a request that no front door sent. Let "),
        "{text}"
    );
}
