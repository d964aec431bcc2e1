//! The demo's upstream: it says what it received.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// How every answer begins.
pub(super) const GREETING: &str = "upstream received ";
/// The longest that a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest request head that is read.
const LARGEST: u64 = 256 * 1024;

/// Starts it on a free port; it lives as long as the process.
pub(super) fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(&stream));
        }
    });
    Ok(address)
}

fn answer(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut body = GREETING.to_owned();
    for line in BufReader::new(stream).take(LARGEST).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        body.push_str(&line);
        body.push('\n');
    }
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}
