//! No session is resumed: no certificate travels from one host to another, nor outlives its connection.

use openssl::ssl::{SslConnectorBuilder, SslSession, SslSessionCacheMode, SslVersion};
use std::sync::{Arc, Mutex};

use crate::bank::{Person, good};
use crate::http_client::{Client, connected};
use crate::set_up::{ALIAS, ASKED, ClientFiles, House, OTHERS, QUIET, connector, get};

const VERSIONS: [(&str, SslVersion); 2] = [("-tls1_2", SslVersion::TLS1_2), ("-tls1_3", SslVersion::TLS1_3)];

/// A connector that keeps every session and ticket that it is given.
fn keeping(version: SslVersion, client: Option<&Person>) -> (SslConnectorBuilder, Arc<Mutex<Vec<SslSession>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let mut builder = connector(client);
    builder.set_min_proto_version(Some(version)).unwrap();
    builder.set_max_proto_version(Some(version)).unwrap();
    builder.set_session_cache_mode(SslSessionCacheMode::CLIENT);
    let keeper = Arc::clone(&kept);
    builder.set_new_session_callback(move |_, session| keeper.lock().unwrap().push(session));
    (builder, kept)
}

/// Offers a session, taken to this context by way of its bytes.
#[allow(
    unsafe_code,
    reason = "the crate asks for care that a session comes of the same context; these bytes do not know theirs"
)]
fn offer(ssl: &mut openssl::ssl::Ssl, session: &SslSession) {
    let session = SslSession::from_der(&session.to_der().unwrap()).unwrap();
    // SAFETY: the session is owned, complete, and used by this connection alone.
    unsafe { ssl.set_session(&session).unwrap() };
}

#[test]
fn a_session_with_a_certificate_opens_no_other_host() {
    let house = House::open();
    for (_, version) in VERSIONS {
        let (builder, kept) = keeping(version, Some(&good()));
        let stream = builder.build().connect(ASKED, connected(house.port())).unwrap();
        let first = stream.ssl().session().unwrap().to_owned();
        let mut connection = Client::tls(stream);
        assert_eq!(connection.ask(get(ASKED, "/")).status, 200);
        house.upstream.take_one();
        // Tickets of TLS 1.3 come after the handshake: an answer has been read since.
        let mut sessions = vec![first];
        sessions.extend(kept.lock().unwrap().drain(..));
        for session in &sessions {
            for host in [ASKED, ALIAS, QUIET, OTHERS] {
                let (builder, _) = keeping(version, None);
                let mut ssl = openssl::ssl::Ssl::new(builder.build().context()).unwrap();
                ssl.set_hostname(host).unwrap();
                offer(&mut ssl, session);
                let stream = ssl.connect(connected(house.port())).unwrap();
                assert!(!stream.ssl().session_reused(), "{host} {version:?}");
                let answer = Client::tls(stream).ask(get(host, "/"));
                house.assert_refused(&answer, 401, "certificate_required");
            }
        }
    }
    house.assert_still_serves();
}

#[test]
fn s_client_finds_nothing_to_resume_by() {
    let house = House::open();
    for (version, _) in VERSIONS {
        let said = ClientFiles::of(Some(&good())).s_client(house.port(), &["-servername", ASKED, version, "-reconnect"]);
        assert!(said.contains("New, TLSv1."), "{said}");
        assert!(!said.contains("Reused, "), "{said}");
        assert!(!said.contains("TLS session ticket:"), "{said}");
    }
}
