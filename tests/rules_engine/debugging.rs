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
        + &rule_at("response", "/long", "{ type = \"add_response_header\", value = \"X-A: 1\" }");
    let set_up = set_up(&rules, DEBUG);
    let token = set_up.token(&[]);
    for (path, status, rule) in [
        ("/denied", 403, "firewall \"firewall /denied\" matched [yes] does deny"),
        ("/short", 204, "request \"request /short\" matched [yes] does no_content"),
        ("/long", 200, "response \"response /long\" matched [yes] does add_response_header"),
    ] {
        let request = Request::get(path).of(&good()).with("X-Vestibule-Debug", &token).with("X_Vestibule_Debug", &token);
        let request = request.with("Cookie", "session=hush").with("Authorization", "Bearer hush");
        let answer = set_up.bank.vestibule.ask(request.text());
        assert_eq!(answer.status, status);
        assert!(lines(&answer, "x-vestibule-debug-rule").contains(&rule), "{:?}", answer.headers);
        let variables = lines(&answer, "x-vestibule-debug-variable");
        for shown in ["ssl_client_verify=\"SUCCESS\"", "ssl_client_s_dn_parsed=\"good\"", &format!("uri=\"{path}\"")] {
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
