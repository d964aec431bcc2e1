//! A real server whose handler forwards everything to one upstream.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::net::TcpStream;
use vestibule::admission::profiles::Profiles;
use vestibule::admission::registered::RegisteredCertificates;
use vestibule::admission::{Admission, Demands, Policy, VerificationMode};
use vestibule::clock::UnixTime;
use vestibule::front_door::{
    AuthenticatedForward, Contract, ContractHeader, Directory, Domain, DomainParts, ForwardedMismatch, FrontDoor, HeadLimits,
    Preset, Proof, Proofs, VerdictMode,
};
use vestibule::header_names::HeaderNames;
use vestibule::presented::Presentation;
use vestibule::refusal::Refused;
use vestibule::request_head::{Connection, RequestHead, RequestTarget};
use vestibule::rules::{Facts, Known, Outcome, Permitted, Phase, RuleSet, Scope, Template, Trace};
use vestibule::secret::{ApiKeys, Pepper};
use vestibule::upstream::{Ending, Endpoint, HostPolicy, Upstream, forward};

use crate::raw_upstream::Peer;

/// An upstream with short times, so that no test is slow.
pub fn upstream(url: &str) -> Upstream {
    with_endpoint(Endpoint::parse(url, None).unwrap())
}

pub fn with_endpoint(endpoint: Endpoint) -> Upstream {
    Upstream {
        name: "test".to_owned(),
        endpoint,
        host: HostPolicy::Preserve,
        connect_timeout: Duration::from_millis(500),
        response_timeout: Duration::from_millis(700),
        tunnel_timeout: Duration::from_millis(700),
        idle_keep_alive: Duration::from_secs(30),
        max_idle_per_worker: 8,
    }
}

/// What the access line of one exchange would say.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    pub status: u16,
    pub reused: bool,
    pub sent: u64,
    pub received: u64,
    pub ending: Ending,
}

/// A running server.
pub struct Forwarder {
    pub address: SocketAddr,
    pub lines: Receiver<Line>,
}

struct Shared {
    upstream: Arc<Upstream>,
    request_body_limit: Option<u64>,
    lines: Mutex<Sender<Line>>,
}

impl Forwarder {
    pub fn start(upstream: Upstream) -> Self {
        Self::limited(upstream, None)
    }

    /// One worker, so that one pool serves every request. It lives until the test program ends.
    pub fn limited(upstream: Upstream, request_body_limit: Option<u64>) -> Self {
        let (tell, told) = channel();
        let (sender, lines) = channel();
        let shared = web::Data::new(Shared { upstream: Arc::new(upstream), request_body_limit, lines: Mutex::new(sender) });
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || App::new().app_data(shared.clone()).default_service(web::to(handle));
                let server = HttpServer::new(app).workers(1).tcp_nodelay(true).h1_allow_half_closed(false);
                let server = server.disable_signals().bind("127.0.0.1:0").unwrap();
                tell.send(server.addrs()[0]).unwrap();
                server.run().await.unwrap();
            });
        });
        Self { address: told.recv().unwrap(), lines }
    }

    pub async fn connect(&self) -> Peer<TcpStream> {
        Peer::new(TcpStream::connect(self.address).await.unwrap())
    }

    /// One request on a connection of its own: the answer's head and decoded body.
    pub async fn ask(&self, request: &str) -> (String, Vec<u8>) {
        let mut client = self.connect().await;
        client.write(request).await;
        let head = client.read_head().await.expect("an answer");
        let body = client.read_body(&head).await;
        (head, body)
    }

    pub async fn get(&self) -> (String, Vec<u8>) {
        self.ask("GET / HTTP/1.1\r\nhost: a.test\r\n\r\n").await
    }
}

async fn handle(request: HttpRequest, payload: web::Payload, shared: web::Data<Shared>) -> HttpResponse<BoxBody> {
    match forward(&shared.upstream, Box::new(permitted(&request)), shared.request_body_limit, payload.into_inner()).await {
        Err(refused) => refusal(&refused),
        Ok(mut answer) => {
            let (status, reused) = (answer.status.as_u16(), answer.timings.connect.is_none());
            let lines = shared.lines.lock().unwrap().clone();
            answer.on_end(move |transfer, ending| {
                let (sent, received) = (transfer.sent(), transfer.received());
                let _ = lines.send(Line { status, reused, sent, received, ending });
            });
            answer.into_response(request.version()).map_into_boxed_body()
        }
    }
}

/// Takes a request through every stage, by the shortest way: a front door with one key, no certificate, one header of ours.
/// The contract's headers have names that no test sends, and they are added here.
fn permitted(request: &HttpRequest) -> Permitted {
    let mut headers = HeaderMap::new();
    for (name, value) in request.headers() {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers.insert("key-of-the-test", HeaderValue::from_static("key"));
    headers.insert("address-of-the-test", HeaderValue::from_static("192.0.2.7"));
    let method = Method::from_bytes(request.method().as_str().as_bytes()).unwrap();
    // CONNECT has no path, and HTTP/1.0 need not name a host: these tests are about what comes after that was checked.
    let target = RequestTarget::parse(&request.uri().to_string()).unwrap_or_else(|_| RequestTarget::parse("/").unwrap());
    headers.entry(http::header::HOST).or_insert(HeaderValue::from_static("a"));
    let head = RequestHead { method, target, headers, connection: Connection::default() };
    let forward = AuthenticatedForward::unremembered(&directory(), head, UnixTime(0)).unwrap();
    let presentation = Presentation::ignored();
    let policy = Policy {
        verification: VerificationMode::Off,
        allow_unauthenticated_requests: false,
        allow_expired_certificates: false,
        allow_revoked_certificates: false,
        require_profile: false,
    };
    let demands = Demands {
        policy: &policy,
        registered: &RegisteredCertificates::default(),
        profiles: &Profiles::default(),
        verdict_mode: VerdictMode::Ignore,
    };
    let admission = Admission::decide(&presentation, None, None, &demands).unwrap();
    let facts = Facts::new(&presentation, &admission, UnixTime(0));
    let known = Known::default();
    let alice = Template::parse("alice", &Scope::new(Phase::Request, &known)).unwrap();
    let user = (HeaderName::from_static("x-user"), alice);
    let rules = RuleSet { upstream_headers: [user].into(), ..RuleSet::default() };
    match rules.decide(forward, &facts, "id-1", Trace::Off, &mut Vec::new()).unwrap() {
        Outcome::Permitted(permitted) => *permitted,
        Outcome::Answered(answer) => panic!("{answer:?}"),
    }
}

fn directory() -> Directory {
    let pepper = Arc::new(Pepper::parse(&"5a".repeat(32)).unwrap());
    let name = HeaderName::from_static;
    let address = (ContractHeader::ClientAddress, name("address-of-the-test"));
    let front_door = FrontDoor {
        name: "test".to_owned(),
        proofs: Proofs::new(vec![Proof::ApiKey]).unwrap(),
        certificate_header_max: 0,
        forwarded_verdict: VerdictMode::Ignore,
        forwarded_mismatch: ForwardedMismatch::Refuse,
        format: Preset::find("nginx").unwrap().format(),
        require_sni: false,
    };
    let domain = Domain::new(DomainParts {
        name: "a.test".to_owned(),
        mtls_host: None,
        tenant: 0,
        front_door: Arc::new(front_door),
        contract: Contract::new(name("key-of-the-test"), std::slice::from_ref(&address)).unwrap(),
        api_keys: Some(ApiKeys::new(Arc::clone(&pepper), vec![pepper.tag(b"key")])),
        client_ip_header: address.1,
        reserved: HeaderNames::default(),
    });
    let mut directory = Directory::new(HeadLimits { header_count: 96, header_bytes: 128 * 1024, allow_path_parameters: false });
    let domain = Arc::new(domain);
    for host in ["a", "a.test"] {
        directory.add(host, Arc::clone(&domain)).unwrap();
    }
    directory
}

fn refusal(refused: &Refused) -> HttpResponse<BoxBody> {
    let status = actix_web::http::StatusCode::from_u16(refused.refusal.status()).unwrap();
    HttpResponse::build(status).insert_header(("x-refusal", refused.refusal.code())).body(refused.cause.clone())
}
