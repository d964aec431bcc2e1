//! From nothing to a key that works, and back, by SDKs.

use crate::story::TlsOffice;
use crate::tools::{file, node, python};

#[test]
fn npm_auth0() {
    let office = TlsOffice::open();
    office.tell(office.command("node").arg(node().join("auth0.mjs")));
}

#[test]
fn pypi_auth0_python() {
    let office = TlsOffice::open();
    office.tell(office.command(python().join("python")).arg(file("python-management/lifecycle.py")));
}
