//! Lists in files: large, and exchanged while requests run.

use std::fmt::Write as _;

use crate::bank::{Request, files, good};
use crate::recording_upstream::RecordingUpstream;
use crate::vestibule_program::Vestibule;
use crate::{rule_if, tenant};

const TABLES: &str = "[lists.blocked]\ntype = \"ip_cidr\"\nentries = [\"192.0.2.1\"]\nfile = \"lists/blocked\"\n\
                      [lists.agents]\ntype = \"strings\"\nfile = \"lists/agents\"\n";

#[test]
fn a_hundred_thousand_entries_and_a_new_file() {
    let deny = "{ type = \"deny\" }";
    let rules = rule_if("firewall", "blocked", ("${network}", "is_in_list", Some("blocked")), deny)
        + &rule_if("firewall", "agents", ("${header_user_agent}", "matches", Some("^bot")), deny)
        + &rule_if("firewall", "known agents", ("${http_x_agent}", "is_in_list", Some("agents")), deny);
    let upstream = RecordingUpstream::start();
    let mut files = files(&[(tenant(&(TABLES.to_owned() + &rules)), upstream.url())]);
    let mut blocked = String::from("# networks\n\n  2001:db8::/32  \n");
    let mut agents = String::new();
    for number in 0..100_000_u32 {
        let _ = writeln!(blocked, "10.{}.{}.{}", number >> 16, number >> 8 & 255, number & 255);
        let _ = writeln!(agents, "agent-{number}");
    }
    files.push(("lists/blocked".into(), blocked));
    files.push(("lists/agents".into(), agents));
    let vestibule = Vestibule::start(&files);
    let status = |address: &str, agent: &str| {
        let request = Request::get("/").of(&good()).instead("X-Forwarded-For", address).with("X-Agent", agent);
        vestibule.ask(request.text()).status
    };
    for (address, agent, expected) in [
        ("192.0.2.1", "", 403),
        ("192.0.2.2", "", 200),
        ("10.0.0.0", "", 403),
        ("10.1.134.159", "", 403),
        ("10.1.134.160", "", 200),
        ("2001:db8:1::1", "", 403),
        ("::ffff:10.0.0.7", "", 403),
        ("192.0.2.2", "agent-99999", 403),
        ("192.0.2.2", "agent-100000", 200),
        ("192.0.2.2", "Agent-1", 200),
    ] {
        assert_eq!(status(address, agent), expected, "{address} {agent}");
    }
    // By the change of the file alone.
    vestibule.replace_file("lists/blocked", "198.51.100.0/24\n");
    vestibule.wait_for_counter("vestibule_reloads_total", 1);
    assert_eq!([status("10.0.0.0", ""), status("198.51.100.7", ""), status("192.0.2.1", "")], [200, 403, 403]);
    vestibule.replace_file("lists/blocked", "198.51.100.0/24\n198.51.100.0/99\n");
    vestibule.wait_for_counter("vestibule_reload_failures_total", 1);
    vestibule.wait_for_diagnostics("line 2 is `198.51.100.0/99`");
    assert_eq!(status("198.51.100.7", ""), 403, "the list before stays");
}
