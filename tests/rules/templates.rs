//! Texts with variables, and what a stranger can put into them.

use http::Method;
use proptest::prelude::*;

use crate::pki::{Ca, Leaf, certificate, self_signed};
use crate::{Asked, ID, headers};

#[test]
fn every_variable_of_a_request() {
    let ca = Ca::root("Root");
    let leaf = ca.issue(&Leaf { dns: vec!["a.example".into(), "b.example".into()], ..Leaf::named("client") });
    let fingerprint = hex::encode(certificate(&leaf).sha256());
    let mut asked = Asked::with(leaf, ca);
    asked.method = Method::POST;
    asked.target = "/b%20c//%64?x=1&Y-z=2&x=3";
    asked.headers = headers(&[("user-agent", "curl"), ("accept", "a"), ("accept", "b"), ("cookie", "s=1; t=2")]);
    for (template, value) in [
        ("${arg_x}", "1"),
        ("${arg_y_z}", "2"),
        ("${args}", "x=1&Y-z=2&x=3"),
        ("${client_certificate_basis}", "ca"),
        ("${client_certificate_validation}", "true"),
        ("${cookie_t}", "2"),
        ("${host}", "api.example"),
        ("${http_accept}", "a, b"),
        ("${http_user_agent}", "curl"),
        ("${remote_addr}", "192.0.2.7"),
        ("${request_id}", ID),
        ("${request_method}", "POST"),
        ("${request_uri}", "/b%20c//%64?x=1&Y-z=2&x=3"),
        ("${scheme}", "https"),
        ("${ssl_verification_status}", "SUCCESS"),
        ("${uri}", "/b c/d"),
        ("${ssl_client_verify}", "SUCCESS"),
        ("${ssl_client_s_dn}", "CN=client,O=Vestibule Test"),
        ("${ssl_client_s_dn_parsed}", "client"),
        ("${ssl_client_sigalg}", "ecdsa_secp256r1_sha256"),
        ("${ssl_client_san_dns}", "a.example,b.example"),
        ("${subject.CN}", "client"),
        ("${issuer.CN}", "Root"),
        ("${ssl_client_fingerprint_sha256}", &fingerprint),
        ("<${scheme}://${host}${uri}>$", "<https://api.example/b c/d>$"),
        ("no variable", "no variable"),
    ] {
        assert_eq!(asked.text(template).as_deref(), Some(value), "{template}");
    }
}

#[test]
fn what_is_said_of_certificates_that_are_missing_or_bad() {
    let ca = || Ca::root("Root");
    let root = ca();
    let expired = Asked::with(root.issue(&Leaf::expired("old")), root);
    let stranger = Asked::with(self_signed(&Leaf::named("me")), ca());
    for (asked, validation, status, verify) in [
        (Asked::plain(&[]), "false", "MISSING_CLIENT_CERTIFICATE", "NONE"),
        (expired, "false", "CERTIFICATE_VERIFICATION_ERROR", "FAILED:certificate has expired"),
        (stranger, "false", "CERTIFICATE_VERIFICATION_ERROR", "FAILED:self-signed certificate"),
    ] {
        assert_eq!(asked.text("${client_certificate_validation}").as_deref(), Some(validation));
        assert_eq!(asked.text("${ssl_verification_status}").as_deref(), Some(status));
        assert_eq!(asked.text("${ssl_client_verify}").as_deref(), Some(verify));
    }
    for absent in
        ["${ssl_client_s_dn}", "${ssl_client_escaped_cert}", "${subject.CN}", "${ssl_client_v_remain}", "${ssl_client_sigalg}"]
    {
        assert_eq!(Asked::plain(&[]).text(absent), None, "an empty value sends no header: {absent}");
    }
}

#[test]
fn a_certificate_cannot_end_a_header_line() {
    let ca = Ca::root("Root");
    let common_name = "a\r\nX-Evil: 1\r\n\r\nGET / \0\u{e9}\u{7f}";
    let asked = Asked::with(ca.issue(&Leaf::named(common_name)), ca);
    let printed = "a\\0D\\0AX-Evil: 1\\0D\\0A\\0D\\0AGET / \\00\\C3\\A9\\7F";
    for variable in ["${subject.CN}", "${ssl_client_s_dn_parsed}"] {
        assert_eq!(asked.text(variable).as_deref(), Some(printed), "{variable}");
    }
    for variable in ["${ssl_client_s_dn}", "${ssl_client_s_dn_legacy}", "${ssl_client_escaped_cert}"] {
        let text = asked.text(variable).unwrap();
        assert!(text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)), "{text:?}");
    }
}

#[test]
fn a_request_cannot_end_a_header_line() {
    let mut asked = Asked::plain(&[("x", "tab\tand \u{e9}"), ("cookie", "c=\u{e9}")]);
    asked.target = "/a%0d%0aX-Evil:%201/%7f%e2%80%a8?q=%0d%0a";
    assert_eq!(asked.text("${uri}").as_deref(), Some("/a\\0D\\0AX-Evil: 1/\\7F\\E2\\80\\A8"));
    assert_eq!(asked.text("${arg_q}").as_deref(), Some("%0d%0a"));
    assert_eq!(asked.text("${http_x}").as_deref(), Some("tab\\09and \\C3\\A9"));
    assert_eq!(asked.text("${cookie_c}").as_deref(), Some("\\C3\\A9"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_common_name_makes_two_lines(common_name in "\\PC{1,20}|[\0-\u{ff}]{1,20}") {
        let ca = Ca::root("Root");
        let asked = Asked::with(ca.issue(&Leaf::named(&common_name)), ca);
        let text = asked.text("<${subject.CN}>").unwrap();
        prop_assert!(text.starts_with('<') && text.ends_with('>'));
        prop_assert!(text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)), "{:?}", text);
    }
}
