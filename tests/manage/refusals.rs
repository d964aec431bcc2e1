//! Consumers, OAuth, rules and a route that only watches, all for one custom domain: who refuses first. Each row is wrong in one
//! respect more than the row below it.

use serde_json::{Value, json};

use crate::bank::{CLIENT, KEY, Person, Request, Tenant, authorities, good, leaf, person, person_of};
use crate::issuer::{AUDIENCE, Issuer};
use crate::oauth_clients::{at_token, itself, new, x509_cert};
use crate::office::{Office, plain};

const HOST: &str = "a.customer.example";
const MTLS: &str = "mtls.a.customer.example";

fn tenant(issuer: &Issuer) -> Tenant {
    let bound = "certificate_bound_access_tokens = \"require\", required_scopes = [\"payments\"]";
    let client = "verification = \"permissive\", self_signed_tls_client_auth = true, anonymous = \"c-guest\"";
    let tables = format!(
        "[oauth.issuers.as]\nissuer = \"{}\"\naudience = [\"{AUDIENCE}\"]\n\
         [[consumers]]\nid = \"c-good\"\nusername = \"good\"\ngroups = [\"partners\"]\n\
         [[consumers]]\nid = \"c-late\"\nusername = \"late\"\ngroups = [\"partners\"]\n\
         [[consumers]]\nid = \"c-blocked\"\nusername = \"blocked\"\ngroups = [\"blocked\"]\n\
         [[routes]]\npath = \"/api/\"\nupstream = \"core\"\npolicy = {{ {bound}, deny_groups = [\"blocked\"] }}\n\
         [[routes]]\npath = \"/watched/\"\nupstream = \"core\"\n\
         policy = {{ {bound}, deny_groups = [\"blocked\"], verification_mode = \"monitor\" }}\n\
         [[consumers]]\nid = \"c-guest\"\nusername = \"guest\"\ngroups = [\"guests\"]\n\
         [[routes]]\npath = \"/token/\"\nupstream = \"core\"\npolicy = {{ {client} }}\n\
         [[routes]]\npath = \"/token/group\"\nupstream = \"core\"\npolicy = {{ {client}, deny_groups = [\"guests\"] }}\n\
         [[rules]]\nname = \"client\"\nroutes = [\"/token/\"]\n\
         criteria = [[{{ variable = \"${{uri}}\", operator = \"is_equal\", argument = \"/token/rule\" }},\n\
         {{ conditional = \"and\", variable = \"${{oauth_client_id}}\", operator = \"is_equal\", argument = \"app\" }}]]\n\
         behaviors = [{{ type = \"deny\" }}]\n\
         [[rules]]\nname = \"late\"\n\
         criteria = [[{{ variable = \"${{consumer_id}}\", operator = \"is_equal\", argument = \"c-late\" }},\n\
         {{ conditional = \"and\", variable = \"${{oauth_token_sub}}\", operator = \"is_equal\", argument = \"alice\" }}]]\n\
         behaviors = [{{ type = \"deny\" }}]\n\
         [[rules]]\nname = \"who\"\nbehaviors = [{{ type = \"add_request_header\",\
         value = \"X-Who: ${{consumer_username}} ${{oauth_token_sub}} ${{oauth_client_id}} ${{ssl_client_verify}}\" }}]\n",
        issuer.url()
    );
    Tenant { tables, ..plain() }
}

struct Customer {
    issuer: Issuer,
    office: Office,
    key: String,
}

/// What happened: status, code, and what was only watched.
type Outcome = (u16, String, Value);

impl Customer {
    fn open() -> Self {
        let issuer = Issuer::start();
        let office = Office::of(tenant(&issuer));
        let (_, key) = office.ready(HOST);
        office.aliases(true);
        Self { issuer, office, key }
    }

    fn asked(&self, path: &str, person: Option<&Person>, token: Option<&str>) -> Request {
        let request = Request::get(path).instead("Host", HOST).instead("cname-api-key", &self.key);
        let request = match person {
            Some(person) => request.of(person),
            None => request.of_nobody(),
        };
        token.map_or(request.clone(), |token| request.with("Authorization", &format!("Bearer {token}")))
    }

    /// The upstream sees what is permitted, and nothing else.
    #[track_caller]
    fn outcome(&self, request: &Request) -> (Outcome, String) {
        let vestibule = &self.office.bank.vestibule;
        let answer = vestibule.ask(request.text());
        let received = self.office.bank.upstream.take();
        let line = vestibule.access_line(&answer);
        assert_eq!(received.len(), usize::from(answer.status == 200), "{line}");
        let code = line["refusal.code"].as_str().unwrap_or_default().to_owned();
        let monitored = line.get("monitored").cloned().unwrap_or(Value::Null);
        ((answer.status, code, monitored), received.first().map(|one| one.header("x-who").to_owned()).unwrap_or_default())
    }
}

fn refused(status: u16, code: &str) -> Outcome {
    (status, code.to_owned(), Value::Null)
}

#[test]
fn each_stage_refuses_in_its_order() {
    let customer = Customer::open();
    let stranger = person_of(&authorities().stranger, &leaf("blocked"));
    let (unknown, blocked, late, fine) = (person(&leaf("unknown")), person(&leaf("blocked")), person(&leaf("late")), good());
    let bound = |person: &Person| customer.issuer.bound(person);
    let (of_stranger, of_unknown, of_blocked) = (bound(&stranger), bound(&unknown), bound(&blocked));
    let asked = |person: &Person, token: Option<&str>| customer.asked("/api/x", Some(person), token);
    let rows = [
        (
            "front door: the key of another domain",
            asked(&stranger, None).instead("cname-api-key", KEY),
            403,
            "front_door_key_wrong",
        ),
        (
            "front door: a contract header twice",
            asked(&stranger, None).with("X-Forwarded-For", CLIENT),
            400,
            "contract_header_repeated",
        ),
        ("certificate: none", customer.asked("/api/x", None, None), 401, "certificate_required"),
        ("certificate: nobody's, its token is good", asked(&stranger, Some(&of_stranger)), 401, "certificate_untrusted"),
        ("token: none", asked(&unknown, None), 401, "access_token_missing"),
        ("token: of another", asked(&unknown, Some(&of_blocked)), 401, "access_token_certificate"),
        ("consumer", asked(&unknown, Some(&of_unknown)), 401, "consumer_unknown"),
        ("group", asked(&blocked, Some(&of_blocked)), 403, "consumer_group_denied"),
        ("rule", asked(&late, Some(&bound(&late))), 403, "denied_by_rule"),
    ];
    for (what, request, status, code) in rows {
        assert_eq!(customer.outcome(&request).0, refused(status, code), "{what}");
    }
    let passes = customer.outcome(&asked(&fine, Some(&bound(&fine))));
    assert_eq!(passes, (refused(200, ""), "good alice  SUCCESS".to_owned()));
}

#[test]
fn a_client_comes_before_its_consumer() {
    let customer = Customer::open();
    let (app, other) = (itself("app"), itself("app"));
    let body = new("app", "self_signed_tls_client_auth", &x509_cert(&app.certificate));
    assert_eq!(customer.office.ask("POST", "/api/v2/clients", Some(body)).status, 201);
    let form = |host: &str, path: &str, id: &str, person: &Person| {
        at_token(host, &customer.key, id).towards(&format!("POST {path}")).of(person)
    };
    let rows = [
        ("front door", form("b.customer.example", "/token/group", "who", &other), 403, "unknown_domain"),
        ("client: nobody", form(MTLS, "/token/group", "who", &app), 401, "oauth_client_unknown"),
        ("client: at the other host", form(HOST, "/token/group", "app", &app), 401, "oauth_client_refused"),
        ("client: another certificate", form(MTLS, "/token/group", "app", &other), 401, "oauth_client_refused"),
        ("group", form(MTLS, "/token/group", "app", &app), 403, "consumer_group_denied"),
        ("rule", form(MTLS, "/token/rule", "app", &app), 403, "denied_by_rule"),
    ];
    for (what, request, status, code) in rows {
        assert_eq!(customer.outcome(&request).0, refused(status, code), "{what}");
    }
    let (outcome, told) = customer.outcome(&form(MTLS, "/token/open", "app", &app));
    assert_eq!(outcome, refused(200, ""));
    assert!(told.starts_with("guest  app FAILED"), "{told}");
}

#[test]
fn a_route_that_only_watches_still_checks_tokens() {
    let customer = Customer::open();
    let stranger = person_of(&authorities().stranger, &leaf("good"));
    let (unknown, blocked, late) = (person(&leaf("unknown")), person(&leaf("blocked")), person(&leaf("late")));
    let bound = |person: &Person| customer.issuer.bound(person);
    let asked = |person: &Person, token: Option<&str>| customer.asked("/watched/x", Some(person), token);
    let watched = |code: &str| json!([format!("verification: {code}")]);
    for (person, code, who) in [
        (&stranger, "certificate_untrusted", "alice  FAILED"),
        (&unknown, "consumer_unknown", "alice  SUCCESS"),
        (&blocked, "consumer_group_denied", "blocked alice  SUCCESS"),
    ] {
        assert_eq!(customer.outcome(&asked(person, None)).0.1, "access_token_missing", "{code}");
        let (outcome, told) = customer.outcome(&asked(person, Some(&bound(person))));
        assert_eq!(outcome, (200, String::new(), watched(code)), "{code}");
        assert!(told.starts_with(who), "{code}: {told}");
    }
    assert_eq!(customer.outcome(&asked(&late, Some(&bound(&late)))).0, refused(403, "denied_by_rule"));
}
