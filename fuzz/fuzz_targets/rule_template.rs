//! Any text as a template, in every place of a rule that takes one: whatever the client sends, no line ends early, a target is a
//! target, and a text that is taken once is taken again.
#![no_main]

use http::HeaderValue;
use libfuzzer_sys::fuzz_target;
use vestibule::refusal::Refusal;
use vestibule::request_head::RequestTarget;
use vestibule::rules::{Behavior, CaptureMatchGroups, Condition, Groups, Outcome, Phase, Says, Scope, Template};
use vestibule_fuzz::decision::{KNOWN, decided};

fuzz_target!(|written: &str| {
    let (scope, _) = scope();
    match Template::parse(written, &scope) {
        Ok(template) => {
            assert_eq!(Template::parse(&format!("{written}{written}"), &scope).is_ok(), true, "twice");
            assert!(template.variables().count() <= written.len());
        }
        Err(why) => {
            assert!(!why.is_empty());
            return;
        }
    }
    for (behavior, value) in [
        ("add_request_header", format!("X-Made: {written}")),
        ("add_request_cookie", format!("made={written}")),
        ("rewrite_request", written.to_owned()),
        ("redirect_to_302", written.to_owned()),
    ] {
        run(behavior, &value);
    }
});

/// What stands before the behavior: groups of the target as it was sent and of a certificate's name.
fn scope() -> (Scope<'static>, Vec<Behavior>) {
    let mut scope = Scope::new(Phase::Request, &KNOWN);
    let captures = [("a", "${request_uri}", "^/(?<first>[^/]*)/(.*)"), ("b", "${ssl_client_s_dn}", "(?s)^(.*)$")];
    let captures = captures.map(|(array, subject, regex)| {
        Behavior::CaptureMatchGroups(CaptureMatchGroups::parse(array, subject, regex, &mut scope).unwrap())
    });
    (scope, captures.into())
}

fn run(behavior: &str, value: &str) {
    let (scope, mut behaviors) = scope();
    let Ok(read) = Behavior::parse(behavior, Some(value), &scope) else { return };
    behaviors.push(read);
    match decided(Condition::Criteria(Groups::default()), behaviors) {
        Ok(Outcome::Permitted(permitted)) => {
            let raw = permitted.target().raw();
            assert_eq!(RequestTarget::parse(raw).unwrap().path(), permitted.target().path());
            assert!(raw.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "{raw:?}");
            let ours = permitted.ours();
            let made = ours.values().chain(permitted.headers().get_all("cookie"));
            made.for_each(is_one_line);
            assert!(permitted.headers().get("x-evil").is_none() && permitted.ours().get("x-evil").is_none());
        }
        Ok(Outcome::Answered(answer)) => match answer.says() {
            Says::Redirect { location, .. } => is_one_line(location),
            other => panic!("{other:?}"),
        },
        Err(refused) => assert_eq!(refused.refusal, Refusal::RuleFailed, "{refused:?}"),
    }
}

fn is_one_line(value: &HeaderValue) {
    assert!(value.as_bytes().iter().all(|byte| (0x20..=0x7e).contains(byte)), "{value:?}");
}
