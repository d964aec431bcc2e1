//! Bodies pass through; they are not gathered. A thousand long transfers at once need little memory, and who reads slowly slows
//! down who sends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "support/http_client.rs"]
mod http_client;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/streaming_set_up.rs"]
mod streaming_set_up;
#[path = "support/vestibule.rs"]
mod vestibule_program;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;

use streaming_set_up::{CHUNK, Upstream, files, head, length_in, read_head, send_body};
use vestibule_program::Vestibule;

const TRANSFERS: usize = 1_000;
const LENGTH: u64 = 10 * 1024 * 1024;
/// Between the beginnings of two transfers.
const PACE: Duration = Duration::from_millis(2);
/// The most resident memory of the program.
const MEMORY_LIMIT: u64 = 200 * 1024 * 1024;

/// Which of the thousand are downloads.
#[derive(Clone, Copy)]
enum Downloads {
    All,
    Half,
    None,
}

impl Downloads {
    fn has(self, number: usize) -> bool {
        match self {
            Self::All => true,
            Self::Half => number.is_multiple_of(2),
            Self::None => false,
        }
    }
}

/// One after the other: each has the machine to itself.
#[tokio::test]
async fn a_thousand_transfers_at_once_stay_below_200_megabytes() {
    raise_file_limit();
    for downloads in [Downloads::Half, Downloads::All, Downloads::None] {
        a_thousand_transfers(downloads).await;
    }
}

async fn a_thousand_transfers(downloads: Downloads) {
    // Nobody sends the second half of a body before everybody has sent the first.
    let half_way = Arc::new(Barrier::new(TRANSFERS));
    let upstream = Upstream::start(Arc::clone(&half_way)).await;
    let vestibule = Vestibule::start(&files(upstream.address));
    let uploaded = Arc::new(AtomicU64::new(0));
    let transfers: Vec<_> = (0..TRANSFERS)
        .map(|number| {
            let (port, half_way, uploaded) = (vestibule.port(), Arc::clone(&half_way), Arc::clone(&uploaded));
            tokio::spawn(async move {
                // All at once would only try out how many connections the kernel lets wait to be accepted.
                tokio::time::sleep(PACE * u32::try_from(number).unwrap()).await;
                let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                if downloads.has(number) {
                    download(&mut stream).await
                } else {
                    upload(&mut stream, &uploaded, &half_way).await
                }
            })
        })
        .collect();
    for transfer in transfers {
        transfer.await.unwrap();
    }
    let down = (0..TRANSFERS).filter(|number| downloads.has(*number)).count() as u64;
    assert_eq!(upstream.sent.load(Ordering::Relaxed), LENGTH * down);
    assert_eq!(upstream.received.load(Ordering::Relaxed), LENGTH * (TRANSFERS as u64 - down));
    let peak = peak_memory(vestibule.pid());
    eprintln!("{down} downloads, {} uploads: peak resident memory {} MiB", TRANSFERS as u64 - down, peak / 1024 / 1024);
    assert!(peak < MEMORY_LIMIT, "{} MiB", peak / 1024 / 1024);
}

async fn download(stream: &mut TcpStream) {
    stream.write_all(head("GET", &format!("/{LENGTH}"), 0).as_bytes()).await.unwrap();
    read_answer(stream).await;
}

/// Reads an answer to its end.
async fn read_answer(stream: &mut TcpStream) {
    let mut buffer = vec![0; CHUNK];
    let (head, early) = read_head(stream, &mut buffer).await.expect("an answer");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let mut remaining = length_in(&head) - early;
    while remaining > 0 {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the answer broke off {remaining} bytes before its end");
        remaining -= read as u64;
    }
}

async fn upload(stream: &mut TcpStream, sent: &AtomicU64, half_way: &Barrier) {
    stream.write_all(head("POST", "/", LENGTH).as_bytes()).await.unwrap();
    send_body(stream, LENGTH, sent, half_way).await.unwrap();
    read_answer(stream).await;
}

/// Far more than the kernel's buffers of four sockets take.
const LONG: u64 = 256 * 1024 * 1024;
/// What those buffers and ours may take: Linux lets each of the two connections have 4 MiB to send and 6 MiB to receive.
const IN_BUFFERS: u64 = 32 * 1024 * 1024;

#[tokio::test]
async fn a_client_that_does_not_read_stops_the_upstream() {
    let upstream = Upstream::start(Arc::new(Barrier::new(1))).await;
    let vestibule = Vestibule::start(&files(upstream.address));
    let mut stream = TcpStream::connect(("127.0.0.1", vestibule.port())).await.unwrap();
    stream.write_all(head("GET", &format!("/{LONG}"), 0).as_bytes()).await.unwrap();
    let sent = standstill(&upstream.sent).await;
    assert!(sent < IN_BUFFERS, "{sent} bytes were taken from the upstream for a client that reads none");
    read_answer(&mut stream).await;
    assert_eq!(upstream.sent.load(Ordering::Relaxed), LONG);
}

#[tokio::test]
async fn an_upstream_that_does_not_read_stops_the_client() {
    let upstream = Upstream::start(Arc::new(Barrier::new(1))).await;
    let vestibule = Vestibule::start(&files(upstream.address));
    upstream.read_bodies(false);
    let uploaded = Arc::new(AtomicU64::new(0));
    let mut stream = TcpStream::connect(("127.0.0.1", vestibule.port())).await.unwrap();
    let sent = Arc::clone(&uploaded);
    let uploading = tokio::spawn(async move {
        stream.write_all(head("POST", "/", LONG).as_bytes()).await.unwrap();
        send_body(&mut stream, LONG, &sent, &Barrier::new(1)).await.unwrap();
        read_answer(&mut stream).await;
    });
    let sent = standstill(&uploaded).await;
    assert!(sent < IN_BUFFERS, "{sent} bytes were taken from the client for an upstream that reads none");
    upstream.read_bodies(true);
    uploading.await.unwrap();
    assert_eq!(upstream.received.load(Ordering::Relaxed), LONG);
}

/// Waits until bytes have flowed and then none for a second.
async fn standstill(bytes: &AtomicU64) -> u64 {
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = bytes.load(Ordering::Relaxed);
        if now > 0 && now == before {
            return now;
        }
        before = now;
    }
}

/// The usual limit is 1024 files, too few for this side of so many connections.
fn raise_file_limit() {
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let needed = 2 * TRANSFERS as u64 + 100;
    assert!(limit >= needed, "{needed} open files are needed; see `ulimit -Hn`");
}

/// The most memory that a process ever had resident, without the pages of its files: an unoptimized program is itself large.
fn peak_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
    };
    bytes("VmHWM:") - bytes("RssFile:")
}
