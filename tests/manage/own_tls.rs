//! Custom domains by server name on our own TLS listener, for front doors that connect over TLS.

use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode};
use std::net::TcpStream;

use crate::bank::{Bank, Person, Request, good, pem, server};
use crate::dns_server::DnsServer;
use crate::http_client::Client;
use crate::office::{OFTEN, Office, office_files, path};
use crate::ports::free_port;
use crate::recording_upstream::RecordingUpstream;
use crate::store::Store;
use crate::vestibule_program::{Vestibule, wait_until};

fn connect(port: u16, name: &str) -> Result<SslStream<TcpStream>, String> {
    let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
    connector.set_verify(SslVerifyMode::NONE);
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    connector.build().connect(name, stream).map_err(|why| why.to_string())
}

#[test]
fn a_custom_domain_is_a_server_name_from_its_key_on_until_it_is_deleted() {
    let (upstream, dns, port) = (RecordingUpstream::start(), DnsServer::start(), free_port());
    let (store, mut files) = (Store::new(), office_files(&upstream, &dns, OFTEN));
    files[0].1.push_str(&store.lines());
    let lines = format!(
        "[server.tls]\nlisten = [\"127.0.0.1:{port}\"]\ncertificates = [{{ certificate = \"tls/own.pem\", key = \"tls/own.key\" }}]\n[admin]"
    );
    files[0].1 = files[0].1.replacen("[admin]", &lines, 1);
    let own = server();
    files.push(("tls/own.pem".into(), pem(&own.certificate)));
    files.push(("tls/own.key".into(), String::from_utf8(own.key.private_key_to_pem_pkcs8().unwrap()).unwrap()));
    let vestibule = Vestibule::start(&files);
    let office = Office { bank: Bank { vestibule, upstream }, dns, store };
    let name = "a.customer.example";
    let created = office.create(name);
    assert!(connect(port, name).unwrap_err().contains("unrecognized name"));
    office.prove(&created);
    let ready = office.verify(&created);
    let key = ready["cname_api_key"].as_str().unwrap();
    for name in [name, "A.customer.EXAMPLE", ready["origin_domain_name"].as_str().unwrap()] {
        let request =
            Request::get("/").of(&good()).instead("Host", name).instead("cname-api-key", key).with("Connection", "close");
        let mut client = Client::tls(connect(port, name).unwrap());
        assert_eq!(client.ask(request.text()).status, 200, "{name}");
    }
    for nobody in ["mtls.a.customer.example", "b.customer.example"] {
        assert!(connect(port, nobody).unwrap_err().contains("unrecognized name"), "{nobody}");
    }
    assert_eq!(office.ask("DELETE", &path(&created), None).status, 204);
    assert!(connect(port, name).unwrap_err().contains("unrecognized name"));
    let counted = office.bank.vestibule.counter("vestibule_management_responses_total{class=\"2xx\"}");
    assert_eq!(counted, 3);
}

#[test]
fn the_admin_listener_speaks_tls_with_the_certificate_in_force() {
    let (upstream, dns, store) = (RecordingUpstream::start(), DnsServer::start(), Store::new());
    let mut files = office_files(&upstream, &dns, OFTEN);
    files[0].1.push_str(&store.lines());
    files[0].1.push_str("\n[admin.tls]\ncertificate = \"tls/admin.pem\"\nkey = \"tls/admin.key\"\n");
    let text = |of: &Person| (pem(&of.certificate), String::from_utf8(of.key.private_key_to_pem_pkcs8().unwrap()).unwrap());
    let (before, after) = (server(), server());
    let (certificate, key) = text(&before);
    files.extend([("tls/admin.pem".into(), certificate), ("tls/admin.key".into(), key)]);
    let vestibule = Vestibule::start(&files);
    let shown = || connect(vestibule.admin_port(), "whatever.example").unwrap().ssl().peer_certificate().unwrap();
    assert_eq!(shown(), before.certificate);
    assert_eq!(Client::tcp(vestibule.admin_port()).ask("GET /healthz HTTP/1.1\r\nhost: admin\r\n\r\n").status, 0);
    // Both files change at once, or the one does not fit the other and what was before goes on.
    let (certificate, key) = text(&after);
    let folder = vestibule.folder();
    std::fs::write(folder.join("tls/admin.key"), key).unwrap();
    vestibule.replace_file("tls/admin.pem", &certificate);
    wait_until(|| shown() == after.certificate, || "the old certificate is still shown".into());
}
