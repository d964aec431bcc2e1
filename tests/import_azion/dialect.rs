//! `--dialect azion`: comparisons and headers stay as they were.

use serde_json::json;
use vestibule::cli::import::azion::Phase;
use vestibule::variables::Dialect;

use crate::edge_config::Folder;
use crate::program::{command_on, tenant};
use crate::{always, import_to, left_out, read, rule, rules};

/// Name, operator and argument; what is written in each dialect, or what is told.
type Row = (&'static str, &'static str, &'static str, [Result<&'static str, &'static str>; 2]);

const DN: &str = "ssl_client_s_dn";
const END: &str = "ssl_client_v_end";
const SERIAL: &str = "ssl_client_serial";

const ROWS: [Row; 19] = [
    (DN, "is_equal", "/C=US/CN=a", [Err("--dialect azion"), Ok("/C=US/CN=a")]),
    (DN, "starts_with", "/C=US", [Err("subject.CN"), Ok("/C=US")]),
    (DN, "matches", "/CN=a$", [Err("subject.CN"), Ok("/CN=a$")]),
    (DN, "is_equal", "CN=a,C=US", [Ok("CN=a,C=US"), Err("subject.CN")]),
    (DN, "does_not_start_with", "CN=a", [Ok("CN=a"), Err("nginx's form")]),
    (DN, "matches", "^CN=a", [Ok("^CN=a"), Err("nginx's form")]),
    (DN, "does_not_match", "a,C=US", [Ok("a,C=US"), Err("nginx's form")]),
    (DN, "matches", "CN=a", [Ok("CN=a"), Ok("CN=a")]),
    ("ssl_client_i_dn", "is_not_equal", "/CN=a", [Err("subject.CN"), Ok("/CN=a")]),
    (END, "starts_with", "2023", [Err("--dialect azion"), Ok("2023")]),
    (END, "is_equal", "20230115120000", [Err("`before` or `after`"), Ok("20230115120000")]),
    (END, "is_equal", "Jan 15 12:00:00 2023 GMT", [Err("`before` or `after`"), Err("`before` or `after`")]),
    (END, "matches", "GMT$", [Ok("GMT$"), Err("nginx's form")]),
    (SERIAL, "is_equal", "6c:0A", [Ok("6C0A"), Ok("6c:0A")]),
    (SERIAL, "is_not_equal", "6c0a83", [Ok("6c0a83"), Ok("6C:0A:83")]),
    (SERIAL, "starts_with", "6C:0A", [Err("no colons"), Ok("6C:0A")]),
    (SERIAL, "starts_with", "6C0A", [Ok("6C0A"), Err("colons")]),
    (SERIAL, "starts_with", "6C", [Ok("6C"), Ok("6C")]),
    ("uri", "is_equal", "/CN=a:b,C=2023", [Ok("/CN=a:b,C=2023"), Ok("/CN=a:b,C=2023")]),
];

#[test]
fn a_comparison_comes_along_where_it_can_hold() {
    for (variable, operator, argument, expected) in ROWS {
        for (dialect, expected) in [Dialect::Nginx, Dialect::Azion].into_iter().zip(expected) {
            let criterion = json!({ "conditional": "if", "variable": format!("${{{variable}}}"), "operator": operator, "argument": argument });
            let rule = rule(json!([[criterion]]), json!([{ "type": "deny" }]));
            let conversion = import_to(dialect, rule, Some(Phase::Request));
            let said = format!("{dialect:?}: {variable} {operator} {argument}: {}", conversion.toml);
            let written = &rules(&conversion)[0];
            match expected {
                Ok(expected) => {
                    assert_eq!(written["criteria"][0][0]["argument"], expected, "{said}");
                    assert!(written.get("active").is_none(), "{said}");
                }
                Err(told) => {
                    assert!(left_out(&conversion).contains(told), "{said}");
                    assert_eq!(written["active"], false, "{said}");
                }
            }
        }
    }
}

fn tells_who() -> serde_json::Value {
    let behaviors = json!([{ "type": "add_request_header", "attributes": { "value": "X-Who: ${ssl_client_s_dn}" } }]);
    rule(always(), behaviors)
}

#[test]
fn who_moves_is_told_that_headers_change_or_keeps_them() {
    let nginx = import_to(Dialect::Nginx, tells_who(), Some(Phase::Request));
    let told: Vec<String> = nginx.remarks.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|line| line.contains("`--dialect azion` they keep Azion's")), "{told:?}");
    assert!(nginx.is_whole() && read(&nginx.toml).get("output_dialect").is_none());
    let azion = import_to(Dialect::Azion, tells_who(), Some(Phase::Request));
    assert!(azion.remarks.is_empty(), "{:?}", azion.remarks);
    assert_eq!(read(&azion.toml)["output_dialect"], "azion");
    let other = rule(
        always(),
        json!([{ "type": "add_request_header", "attributes": { "value": "X-Who: ${ssl_client_s_dn_parsed}${host}" } }]),
    );
    let other = import_to(Dialect::Nginx, other, Some(Phase::Request));
    assert!(!other.remarks.iter().any(|remark| remark.to_string().contains("--dialect")), "{:?}", other.remarks);
}

#[test]
fn the_tenants_file_loads_with_it_in_front() {
    let ran = command_on(&json!([tells_who()]), &["--phase", "request", "--dialect", "azion"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let folder = Folder::good();
    let (key, rules) = ran.stdout.split_once("[[rules]]").unwrap();
    assert!(key.contains("before the first table"), "{key}");
    let tenant = tenant(&format!("[[rules]]{rules}")).replace("output_dialect = \"nginx\"", "");
    folder.write("tenants/acme.toml", &format!("{key}{tenant}"));
    let checked = folder.check();
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    assert_eq!(command_on(&json!([]), &["--dialect", "apache"]).code, 64);
}
