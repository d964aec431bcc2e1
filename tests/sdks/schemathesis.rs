//! schemathesis asks the API, in ways that nobody thought of, what its OpenAPI document says of it.

use crate::office::TOKEN;
use crate::story::TlsOffice;
use crate::tools::{file, python};

#[test]
fn answers_are_what_the_document_says() {
    let office = TlsOffice::open();
    let folder = tempfile::tempdir().unwrap();
    let mut command = office.command(python().join("schemathesis"));
    command.arg("--config-file").arg(file("python-management/schemathesis.toml"));
    command.args(["run", &format!("https://{}/openapi.json", office.admin()), "--no-color"]);
    command.arg("--header").arg(format!("Authorization: Bearer {TOKEN}"));
    command.arg("--tls-verify").arg(&office.ca).current_dir(folder.path());
    let ran = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{said}");
    assert!(said.contains("Tested: 26"), "{said}");
    office.office.bank.vestibule.assert_no_panic();
    assert!(!office.office.bank.vestibule.diagnostics().contains("\"level\":\"ERROR\""));
}
