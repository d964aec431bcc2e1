//! Every variable, operator and behavior that an import can write loads: the importer and the rules engine know the same.

use crate::edge_config::{Folder, KEY, TENANT, run, tag, vestibule};

const EXAMPLE: &str = include_str!("whole_engine.json");

#[test]
fn all_that_an_import_can_write_loads() {
    let folder = Folder::good();
    folder.write("rules.json", EXAMPLE);
    let imported = run(vestibule().args(["import", "azion"]).arg(folder.path("rules.json")), b"");
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    // What the notes ask for.
    let (start, _) = TENANT.split_once("[[rules]]").unwrap();
    let start = start
        .replace("request_id = \"x-request-id\"", "request_id = \"x-request-id\"\nforwarded_proto = \"x-forwarded-proto\"")
        .replace(
            "[[front_doors.signature_keys]]",
            "headers = { forwarded_proto = \"x-forwarded-proto\" }\n[[front_doors.signature_keys]]",
        );
    let upstreams = ["origin_12", "connector_9"].map(|name| format!("[upstreams.{name}]\nurl = \"http://127.0.0.1:19001\"\n"));
    let text = format!("{start}{}{}", upstreams.concat(), imported.stdout);
    folder.write("tenants/acme.toml", &text.replace("TAG", &tag(KEY)));
    assert_eq!(folder.check().code, 64, "the list is not there yet");
    folder.write("lists/list_123", "192.0.2.0/24\n2001:db8::/32\n");
    let checked = folder.check();
    assert_eq!(checked.code, 0, "{}", checked.stderr);
}
