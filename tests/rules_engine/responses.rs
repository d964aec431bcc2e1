//! Behaviors of the response phase, and compression.

use std::io::{Read as _, Write as _};

use flate2::read::GzDecoder;

use crate::bank::{Bank, Request, good};
use crate::recording_upstream::{RecordingUpstream, reply};
use crate::{before, rule_at};

const LONG: &str = "a long line that compresses well, a long line that compresses well, ";

fn upstream() -> RecordingUpstream {
    RecordingUpstream::answering(|received, stream| {
        let long = LONG.repeat(100);
        match received.target.as_str() {
            path if path.starts_with("/missing") => {
                stream.write_all(b"HTTP/1.1 404 Not Found\r\nx-old: 1\r\ncontent-length: 4\r\n\r\ngone").is_ok()
            }
            "/gzip/short" => reply(stream, "content-type: text/plain\r\n", b"short"),
            "/gzip/image" => reply(stream, "content-type: image/png\r\n", long.as_bytes()),
            "/gzip/done" => reply(stream, "content-type: text/plain\r\ncontent-encoding: br\r\n", long.as_bytes()),
            "/gzip/asis" => reply(stream, "content-type: text/plain\r\ncache-control: no-transform\r\n", long.as_bytes()),
            path if path.starts_with("/gzip") => {
                reply(stream, "content-type: text/plain; charset=utf-8\r\netag: \"v1\"\r\n", long.as_bytes())
            }
            _ => {
                let head = "x-old: 1\r\nx_old: 2\r\nset-cookie: a=1; Path=/\r\nset-cookie: b=2\r\nset-cookie: a=3\r\n";
                reply(stream, head, b"ok")
            }
        }
    })
}

#[test]
fn what_the_client_gets() {
    let rows: &[(&str, &str, &str, &[&str])] = &[
        (
            "/add",
            "{ type = \"add_response_header\", value = \"X-New: ${status} ${upstream_http_x_old}\" }",
            "x-new",
            &["200 1, 2"],
        ),
        ("/filter", "{ type = \"filter_response_header\", value = \"X-Old\" }", "x-old", &[]),
        ("/filter2", "{ type = \"filter_response_header\", value = \"X-Old\" }", "x_old", &[]),
        ("/empty", "{ type = \"add_response_header\", value = \"X-New: ${http_x_none}\" }", "x-new", &[]),
        (
            "/twice",
            "{ type = \"add_response_header\", value = \"X-New: 1\" }, { type = \"add_response_header\", value = \"X-New: 1\" }",
            "x-new",
            &["1", "1"],
        ),
        (
            "/set",
            "{ type = \"set_cookie\", value = \"c=${subject.CN}; Secure\" }",
            "set-cookie",
            &["a=1; Path=/", "b=2", "a=3", "c=good; Secure"],
        ),
        ("/nocookie", "{ type = \"filter_response_cookie\", value = \"a\" }", "set-cookie", &["b=2"]),
        (
            "/group/x",
            "{ type = \"capture_match_groups\", subject = \"${uri}-${status}\", regex = '^/([a-z]+)/.*-(\\d)', captured_array = \"c\" }, \
             { type = \"add_response_header\", value = \"X-New: %{c[1]}%{c[2]}\" }",
            "x-new",
            &["group2"],
        ),
        (
            "/not404",
            "{ type = \"redirect_to_301\", value = \"/x\" }, { type = \"add_response_header\", value = \"X-New: on\" }",
            "x-new",
            &["on"],
        ),
    ];
    let rules: String = rows.iter().map(|(path, behaviors, ..)| rule_at("response", path, behaviors)).collect();
    let bank = before(&rules, upstream());
    for (path, _, name, values) in rows {
        let answer = bank.vestibule.ask(Request::get(path).of(&good()).text());
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok"), "{path}");
        assert_eq!(answer.all(name), *values, "{path}");
    }
}

#[test]
fn a_cookie_ends_at_a_date() {
    let rule = "{ type = \"set_cookie\", value = \"c=1; Expires=${cookie_time_offset(3600)}\" }";
    let bank = before(&rule_at("response", "/x", rule), upstream());
    let earliest = crate::bank::now() + 3600;
    let answer = bank.vestibule.ask(Request::get("/x").of(&good()).text());
    let line = answer.all("set-cookie").pop().unwrap().to_owned();
    let date = line.strip_prefix("c=1; Expires=").unwrap();
    let command = std::process::Command::new("date").args(["-d", date, "+%s"]).output().unwrap();
    let seconds: i64 = String::from_utf8(command.stdout).unwrap().trim().parse().unwrap();
    assert!((earliest..=crate::bank::now() + 3600).contains(&seconds), "{line}");
    assert!(date.ends_with(" GMT") && date.as_bytes()[3] == b',', "{date}");
}

#[test]
fn a_missing_page_is_sought_elsewhere() {
    let bank = before(&rule_at("response", "/missing/a", "{ type = \"redirect_to_302\", value = \"/new${uri}\" }"), upstream());
    let mut connection = bank.vestibule.connect();
    let answer = connection.ask(Request::get("/missing/a").of(&good()).text());
    assert_eq!((answer.status, answer.header("location"), answer.text().as_str()), (302, Some("/new/missing/a"), ""));
    assert_eq!(answer.header("x-old"), None, "nothing of the upstream's answer is left");
    let line = bank.vestibule.access_line(&answer);
    assert_eq!((line["status"].as_u64(), line["upstream.status"].as_u64()), (Some(302), Some(404)));
    let answer = connection.ask(Request::get("/missing/b").of(&good()).text());
    assert_eq!((answer.status, answer.text().as_str()), (404, "gone"));
}

fn gzip(bank: &Bank, path: &str, accepts: &str) -> crate::http_client::Answer {
    bank.vestibule.ask(Request::get(path).of(&good()).with("Accept-Encoding", accepts).text())
}

#[test]
fn bodies_are_compressed_for_those_who_take_it() {
    for phase in ["request", "response"] {
        let paths = ["/gzip/a", "/gzip/short", "/gzip/image", "/gzip/done", "/gzip/asis"];
        let rules: String = paths.iter().map(|path| rule_at(phase, path, "{ type = \"enable_gzip\" }")).collect();
        let bank = before(&rules, upstream());
        let answer = gzip(&bank, "/gzip/a", "br, gzip;q=0.8");
        assert_eq!((answer.status, answer.header("content-encoding")), (200, Some("gzip")), "{phase}");
        assert!(answer.complete && answer.body.len() < LONG.len() * 10, "{}", answer.body.len());
        let mut text = String::new();
        GzDecoder::new(answer.body.as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(text, LONG.repeat(100));
        assert_eq!((answer.header("etag"), answer.header("vary")), (Some("W/\"v1\""), Some("Accept-Encoding")));
        assert_eq!(answer.header("content-length"), None);
        for (path, accepts, encoding) in [
            ("/gzip/a", "br", None),
            ("/gzip/a", "gzip;q=0", None),
            ("/gzip/other", "gzip", None),
            ("/gzip/short", "gzip", None),
            ("/gzip/image", "gzip", None),
            ("/gzip/asis", "gzip", None),
            ("/gzip/done", "gzip", Some("br")),
        ] {
            let answer = gzip(&bank, path, accepts);
            assert_eq!((answer.status, answer.header("content-encoding")), (200, encoding), "{phase} {path} {accepts}");
            assert!(answer.complete && answer.header("content-length").is_some(), "{path} {accepts}");
        }
    }
}

#[test]
fn a_stream_of_events_stays_a_stream() {
    let (tell, told) = std::sync::mpsc::channel::<()>();
    let told = std::sync::Mutex::new(told);
    let upstream = RecordingUpstream::answering(move |_, stream| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        let sent = stream.write_all(format!("{head}9\r\ndata: 1\n\n\r\n").as_bytes()).is_ok();
        // The second event only comes when the client has seen the first one.
        let waited = told.lock().unwrap().recv_timeout(std::time::Duration::from_secs(20)).is_ok();
        assert!(waited, "the first event never came through");
        sent && stream.write_all(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n").is_ok()
    });
    let bank = before(&rule_at("request", "/events", "{ type = \"enable_gzip\" }"), upstream);
    let mut connection = bank.vestibule.connect();
    connection.send(Request::get("/events").of(&good()).with("Accept-Encoding", "gzip").text());
    let head = connection.read_head();
    assert_eq!(head.header("content-encoding"), Some("gzip"));
    let mut packed = Vec::new();
    let chunk = |connection: &mut crate::http_client::Client| {
        let mut digits = String::new();
        while !digits.ends_with("\r\n") {
            digits.push(char::from(connection.read_exactly(1).0[0]));
        }
        let length = usize::from_str_radix(digits.trim(), 16).unwrap();
        let mut bytes = connection.read_exactly(length + 2).0;
        bytes.truncate(length);
        bytes
    };
    let unpacked = |packed: &[u8]| {
        let mut text = Vec::new();
        let _ = GzDecoder::new(packed).read_to_end(&mut text);
        String::from_utf8(text).unwrap()
    };
    while unpacked(&packed) != "data: 1\n\n" {
        packed.append(&mut chunk(&mut connection));
    }
    tell.send(()).unwrap();
    loop {
        let mut more = chunk(&mut connection);
        if more.is_empty() {
            break;
        }
        packed.append(&mut more);
    }
    assert_eq!(unpacked(&packed), "data: 1\n\ndata: 2\n\n");
}

#[test]
fn our_own_answers_do_not_meet_the_response_phase() {
    let rule = "[[rules]]\nname = \"mark\"\nphase = \"response\"\nbehaviors = [{ type = \"add_response_header\", value = \"X-Ran: 1\" }]\n";
    let bank = crate::with(&(rule.to_owned() + &rule_at("request", "/204", "{ type = \"no_content\" }")));
    for (request, status, ran) in [
        (Request::get("/").of(&good()), 200, Some("1")),
        (Request::get("/").of_nobody(), 401, None),
        (Request::get("/204").of(&good()), 204, None),
    ] {
        let answer = bank.vestibule.ask(request.text());
        assert_eq!((answer.status, answer.header("x-ran")), (status, ran));
    }
}
