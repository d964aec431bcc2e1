//! SIGTERM: what runs may finish, nothing new begins.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use crate::bank::{Bank, PROCESS, Request, Tenant, files, good};
use crate::recording_upstream::RecordingUpstream;
use crate::vestibule_program::{Vestibule, wait_until};

#[test]
fn a_streaming_answer_finishes_and_nothing_new_is_taken() {
    let (step, steps) = channel::<()>();
    let steps = Mutex::new(steps);
    let upstream = RecordingUpstream::answering(move |_, stream| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(format!("{head}5\r\nfirst\r\n").as_bytes()).unwrap();
        steps.lock().unwrap().recv().unwrap();
        stream.write_all(b"6\r\nsecond\r\n0\r\n\r\n").is_ok()
    });
    let mut bank = Bank::before(&Tenant::default(), upstream);
    let port = bank.vestibule.port();
    // An idle connection of the front door is nothing to wait for.
    let mut idle = bank.vestibule.connect();
    assert_eq!(idle.ask(Request::get("/").of_nobody().text()).status, 401);
    let mut client = bank.vestibule.connect();
    client.send(Request::get("/").of(&good()).text());
    assert_eq!(client.read_head().status, 200);
    assert_eq!(client.read_exactly("5\r\nfirst\r\n".len()).0, b"5\r\nfirst\r\n");
    bank.vestibule.signal("TERM");
    bank.vestibule.wait_for_diagnostics("stopping");
    wait_until(|| TcpStream::connect(("127.0.0.1", port)).is_err(), || "new connections are still taken".to_owned());
    step.send(()).unwrap();
    assert_eq!(client.read_exactly("6\r\nsecond\r\n0\r\n\r\n".len()).0, b"6\r\nsecond\r\n0\r\n\r\n");
    assert_eq!(bank.vestibule.wait_for_end().code(), Some(0), "{}", bank.vestibule.diagnostics());
    wait_until(|| bank.vestibule.access_lines().len() == 2, || "the last line is missing".to_owned());
    let lines = bank.vestibule.access_lines();
    let line = lines.iter().find(|line| line["status"] == 200).unwrap_or_else(|| panic!("{lines:?}"));
    assert_eq!(line["upstream.ending"], "complete", "{line}");
}

#[test]
fn what_does_not_finish_in_time_is_cut_and_told() {
    let upstream = RecordingUpstream::answering(|received, stream| {
        if received.target == "/begun" {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this").unwrap();
        }
        std::thread::park();
        false
    });
    let mut files = files(&[(Tenant::default(), upstream.url())]);
    files[0].1 = PROCESS.replace("shutdown_timeout = \"20s\"", "shutdown_timeout = \"1s\"");
    let mut vestibule = Vestibule::start(&files);
    let mut clients = [vestibule.connect(), vestibule.connect()];
    for (client, target) in clients.iter_mut().zip(["/begun", "/silent"]) {
        client.send(Request::get(target).of(&good()).text());
    }
    wait_until(|| upstream.received().len() == 2, || "nothing arrived".to_owned());
    assert_eq!(clients[0].read_head().status, 200);
    vestibule.signal("TERM");
    assert_eq!(vestibule.wait_for_end().code(), Some(0), "{}", vestibule.diagnostics());
    wait_until(|| vestibule.access_lines().len() == 2, || format!("lines are missing: {}", vestibule.access_text()));
    assert_eq!((clients[0].read_rest(), clients[1].read_answer().status), (b"only this".to_vec(), 0));
}

#[test]
fn an_idle_program_stops_at_once() {
    for signal in ["TERM", "INT"] {
        let mut bank = Bank::open();
        bank.assert_still_serves();
        bank.vestibule.signal(signal);
        assert_eq!(bank.vestibule.wait_for_end().code(), Some(0));
    }
}
