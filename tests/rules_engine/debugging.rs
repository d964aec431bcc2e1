//! Debug tokens: who has a good one sees what the rules did, and nobody else sees anything.

use crate::bank::{Bank, Request, Tenant, files, good, leaf, person};
use crate::edge_config::{Ran, SIGNATURE_KEY, run, vestibule};
use crate::http_client::Answer;
use crate::recording_upstream::RecordingUpstream;
use crate::rule_at;
use crate::vestibule_program::Vestibule;

const DEBUG: &str = "\n[debug]\nsecret_file = \"secrets/debug\"\n";

struct SetUp {
    bank: Bank,
    /// The same configuration, for the command that makes tokens.
    folder: tempfile::TempDir,
}

fn set_up(rules: &str, process: &str) -> SetUp {
    let upstream = RecordingUpstream::start();
    let tenant = Tenant { tables: rules.to_owned(), ..Tenant::default() };
    let mut files = files(&[(tenant, upstream.url())]);
    files[0].1.push_str(process);
    files.push(("secrets/debug".into(), SIGNATURE_KEY.into()));
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in &files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("{port}", "1").replace("{admin}", "2")).unwrap();
    }
    SetUp { bank: Bank { vestibule: Vestibule::start(&files), upstream }, folder }
}

impl SetUp {
    fn make(&self, arguments: &[&str]) -> Ran {
        run(vestibule().args(["debug-token", "--config"]).arg(self.folder.path()).args(arguments), b"")
    }

    fn token(&self, arguments: &[&str]) -> String {
        let ran = self.make(&[&["--domain", "api.bank.example"], arguments].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout.trim().strip_prefix("x-vestibule-debug: ").unwrap().to_owned()
    }
}

fn lines<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    answer.headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect()
}

fn shows_nothing(answer: &Answer) {
    assert!(!format!("{:?}", answer.headers).contains("vestibule-debug"), "{:?}", answer.headers);
}

#[test]
fn a_good_token_shows_rules_and_variables_in_every_kind_of_answer() {
    let rules = rule_at("firewall", "/denied", "{ type = \"deny\" }")
        + &rule_at("request", "/short", "{ type = \"no_content\" }")
        + &rule_at("response", "/long", "{ type = \"add_response_header\", value = \"X-A: 1\" }")
        + "[[rules]]\nname = \"when\"\nwhen = 'request.uri == \"/public/when\" && request.http_none.size() - 9223372036854775807 - 2 < 0'\n"
        + "behaviors = [{ type = \"deny\" }]\n";
    let consumers = "[[consumers]]\nid = \"c-1\"\nusername = \"good\"\ngroups = [\"eu\"]\n";
    let set_up = set_up(&(rules + consumers), DEBUG);
    let token = set_up.token(&[]);
    for (path, status, rule) in [
        ("/denied", 403, "firewall \"firewall /denied\" matched [yes] does deny"),
        ("/short", 204, "request \"request /short\" matched [yes] does no_content"),
        ("/public/when", 500, "request \"when\" could not be decided [?]"),
        ("/long", 200, "response \"response /long\" matched [yes] does add_response_header"),
    ] {
        let request = Request::get(path).of(&good()).with("X-Vestibule-Debug", &token).with("X_Vestibule_Debug", &token);
        let request = request.with("Cookie", "session=hush").with("Authorization", "Bearer hush");
        let answer = set_up.bank.vestibule.ask(request.text());
        assert_eq!(answer.status, status);
        assert_eq!(lines(&answer, "cache-control"), ["no-store"], "what is shown of one client is for no cache");
        assert!(lines(&answer, "x-vestibule-debug-rule").contains(&rule), "{:?}", answer.headers);
        let variables = lines(&answer, "x-vestibule-debug-variable");
        for shown in [
            "ssl_client_verify=\"SUCCESS\"",
            "ssl_client_s_dn_parsed=\"good\"",
            "consumer_id=\"c-1\"",
            "consumer_groups=\"eu\"",
            &format!("uri=\"{path}\""),
        ] {
            assert!(variables.contains(&shown), "{shown}: {variables:?}");
        }
        let said = format!("{:?}", answer.headers);
        assert!(!said.contains("hush") && !said.contains(&token), "{said}");
        for received in set_up.bank.upstream.take() {
            assert!(!format!("{:?}", received.headers).to_lowercase().contains("debug"), "{:?}", received.headers);
        }
    }
}

#[test]
fn oauth_clients_are_shown() {
    let tables = "[[oauth.clients]]\nclient_id = \"app\"\ntoken_endpoint_auth_method = \"tls_client_auth\"\n\
                  tls_client_auth_subject_dn = \"CN=app,O=Vestibule Test\"\n\
                  [[routes]]\npath = \"/token\"\nupstream = \"core\"\n\
                  policy = { verification = \"permissive\", tls_client_auth = true }\n";
    let set_up = set_up(tables, DEBUG);
    let token = set_up.make(&["--domain", "mtls.api.bank.example"]);
    assert_eq!(token.code, 0, "{}", token.stderr);
    let token = token.stdout.trim().strip_prefix("x-vestibule-debug: ").unwrap().to_owned();
    let request = Request::new("POST", "/token")
        .instead("Host", "mtls.api.bank.example")
        .with("Content-Type", "application/x-www-form-urlencoded")
        .with("X-Vestibule-Debug", &token)
        .body(b"client_id=app&code=hush");
    let answer = set_up.bank.vestibule.ask(request.of(&person(&leaf("app"))).text());
    assert_eq!(answer.status, 200, "{}", set_up.bank.vestibule.access_line(&answer));
    let variables = lines(&answer, "x-vestibule-debug-variable");
    for shown in ["oauth_client_id=\"app\"", "oauth_client_auth_method=\"tls_client_auth\"", "oauth_token_sub=\"\""] {
        assert!(variables.contains(&shown), "{shown}: {variables:?}");
    }
    assert!(!format!("{:?}", answer.headers).contains("hush"));
}

#[test]
fn a_subrequest_is_about_the_path_that_it_names() {
    let rules = rule_at("firewall", "/a/denied", "{ type = \"deny\" }")
        + &rule_at(
            "request",
            "/a/teapot",
            "{ type = \"set_custom_response\", status_code = 418, content_type = \"text/plain\", content_body = \"no\" }",
        )
        + &rule_at("request", "/a/short", "{ type = \"no_content\" }");
    let set_up = set_up(&rules, DEBUG);
    let ask = |path: &str, token: &str| {
        let request = Request::get("/-/authorize").of(&good()).with("X-Original-Uri", path).with("X-Original-Method", "GET");
        set_up.bank.vestibule.ask(request.with("x-vestibule-debug", token).text())
    };
    let token = set_up.token(&["--path", "/a/"]);
    for (path, status, rule) in [
        ("/a/denied", 403, "firewall \"firewall /a/denied\" matched [yes] does deny"),
        ("/a/teapot", 418, "request \"request /a/teapot\" matched [yes] does set_custom_response"),
        // What would answer it with a success is a refusal here.
        ("/a/short", 403, "request \"request /a/short\" matched [yes] does no_content"),
        ("/a/else", 200, "request \"request /a/teapot\" did not match [no]"),
    ] {
        let answer = ask(path, &token);
        assert_eq!(answer.status, status, "{path}");
        assert!(lines(&answer, "x-vestibule-debug-rule").contains(&rule), "{:?}", answer.headers);
        let uri = format!("uri=\"{path}\"");
        assert!(lines(&answer, "x-vestibule-debug-variable").contains(&uri.as_str()), "{:?}", answer.headers);
        assert!(!format!("{:?}", answer.headers).contains(&token));
        shows_nothing(&ask(path, ""));
    }
    // The token for the endpoint is none for what is asked about, nor is that for another path.
    shows_nothing(&ask("/b", &token));
    shows_nothing(&ask("/a/denied", &set_up.token(&["--path", "/-/"])));
    // Nothing is asked about: there is nothing to show.
    let unsaid = Request::get("/-/authorize").of(&good()).with("x-vestibule-debug", &set_up.token(&[]));
    shows_nothing(&set_up.bank.vestibule.ask(unsaid.text()));
}

#[test]
fn any_other_token_is_none() {
    let set_up = set_up("", DEBUG);
    let ask = |request: Request| {
        let answer = set_up.bank.vestibule.ask(request.of(&good()).text());
        assert_eq!(answer.status, 200);
        let received = set_up.bank.upstream.take_one();
        assert_eq!(received.header("x-vestibule-debug"), "");
        answer
    };
    let token = set_up.token(&["--path", "/a/", "--valid", "1h"]);
    assert!(!lines(&ask(Request::get("/a/b").with("x-vestibule-debug", &token)), "x-vestibule-debug-rule").is_empty());
    shows_nothing(&ask(Request::get("/b").with("x-vestibule-debug", &token)));
    shows_nothing(&ask(Request::get("/a/b")));
    shows_nothing(&ask(Request::get("/a/b").with("x-vestibule-debug", &token).with("x-vestibule-debug", &token)));
    shows_nothing(&ask(Request::get("/a/b").instead("Host", "mtls.api.bank.example").with("x-vestibule-debug", &token)));
    for forged in
        ["", "1", "yes", "1.9999999999.00./", &token.replace("1.", "2."), &token.replace("/a/", "/"), &token[..token.len() - 1]]
    {
        shows_nothing(&ask(Request::get("/a/b").with("x-vestibule-debug", forged)));
    }
    let short = set_up.token(&["--valid", "1s"]);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    shows_nothing(&ask(Request::get("/").with("x-vestibule-debug", &short)));
    // A front door that is none gets nothing either.
    let stranger = Request::get("/a/b").instead("cname-api-key", "wrong").with("x-vestibule-debug", &token);
    shows_nothing(&set_up.bank.vestibule.ask(stranger.text()));
}

#[test]
fn without_the_setting_there_is_no_such_thing() {
    let with = set_up("", DEBUG);
    let token = with.token(&[]);
    let without = set_up("", "");
    let answer = without.bank.vestibule.ask(Request::get("/").of(&good()).with("x-vestibule-debug", &token).text());
    shows_nothing(&answer);
    let ran = without.make(&["--domain", "api.bank.example"]);
    assert!(ran.code == 64 && ran.stderr.contains("[debug] is not configured"), "{}", ran.stderr);
    for (arguments, said) in [
        (vec!["--domain", "other.example"], "no domain `other.example`"),
        (vec!["--domain", "api.bank.example", "--path", "a"], "begins with `/`"),
        (vec!["--domain", "api.bank.example", "--path", "/ä"], "visible ASCII"),
        (vec!["--domain", "api.bank.example", "--valid", "2h"], "from 1s to 1h"),
        (vec!["--domain", "api.bank.example", "--valid", "0s"], "from 1s to 1h"),
        (vec![], "--domain"),
    ] {
        let ran = with.make(&arguments);
        assert!(ran.code == 64 && ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn what_is_shown_is_escaped_and_bounded() {
    let mut rules = String::new();
    for number in 0..80 {
        let name = format!("{number} {}", "é".repeat(100));
        rules +=
            &format!("[[rules]]\nname = \"{name}\"\nbehaviors = [{{ type = \"add_request_header\", value = \"X-N: 1\" }}]\n");
    }
    let set_up = set_up(&rules, DEBUG);
    let token = set_up.token(&[]);
    let client = person(&leaf("a\r\nX-Forged: 1"));
    let answer = set_up.bank.vestibule.ask(Request::get("/").of(&client).with("x-vestibule-debug", &token).text());
    assert_eq!((answer.status, answer.header("x-forged")), (200, None));
    let shown: usize = answer.headers.iter().filter(|(name, _)| name.contains("debug")).map(|(_, value)| value.len()).sum();
    assert!(shown > 1000 && shown < 5000, "{shown}");
    assert_eq!(lines(&answer, "x-vestibule-debug-cut").len(), 1);
    assert!(answer.headers.iter().all(|(_, value)| value.is_ascii()), "{:?}", answer.headers);
}
