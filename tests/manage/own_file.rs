//! A SQLite file is one process's.

use crate::office::Office;

#[test]
fn its_owner_alone_reads_it() {
    use std::os::unix::fs::PermissionsExt;
    let office = Office::open();
    office.create("a.customer.example");
    for name in ["vestibule.sqlite", "vestibule.sqlite-wal", "vestibule.sqlite-shm", "vestibule.sqlite.owner"] {
        let file = std::fs::metadata(office.bank.vestibule.folder().join(name)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_second_process_leaves_the_file_alone() {
    let office = Office::open();
    let folder = office.bank.vestibule.folder().to_owned();
    let file = std::fs::read_to_string(folder.join("vestibule.toml")).unwrap();
    let other = tempfile::tempdir().unwrap();
    let copied = std::process::Command::new("cp")
        .args(["-r"])
        .arg(format!("{}/.", folder.display()))
        .arg(other.path())
        .status()
        .unwrap();
    assert!(copied.success());
    let ports = [office.bank.vestibule.port(), office.bank.vestibule.admin_port()];
    let mut text = file.clone();
    for port in ports {
        text = text.replace(&port.to_string(), &crate::ports::free_port().to_string());
    }
    let serve = |text: String| {
        std::fs::write(other.path().join("vestibule.toml"), text).unwrap();
        let ran =
            std::process::Command::new(env!("CARGO_BIN_EXE_vestibule")).args(["serve", "--config"]).arg(other.path()).output();
        let ran = ran.unwrap();
        assert!(!ran.status.success());
        String::from_utf8(ran.stderr).unwrap()
    };
    let said = serve(format!("{text}\n[store]\nfile = \"{}\"\n", folder.join("vestibule.sqlite").display()));
    assert!(said.contains("another process has it open"), "{said}");
}
