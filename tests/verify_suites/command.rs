//! The program's `verify` command, asked one row at a time, so that what a row costs or breaks is known by row.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::Value;

/// Generous: the machine may be busy. What a row costs is told in CPU time and not judged here.
const LONGEST: Duration = Duration::from_secs(5);

/// What came of a row.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// The answer; or why there is none.
    pub(crate) answer: Result<Value, String>,
    /// CPU time of the command.
    pub(crate) cpu: Duration,
}

/// A running command; it is started anew when a row has ended it.
pub(crate) struct Command {
    child: Child,
    input: ChildStdin,
    answers: Receiver<Vec<u8>>,
}

impl Command {
    pub(crate) fn start() -> Self {
        let program = std::env::var_os("VESTIBULE").unwrap_or_else(|| env!("CARGO_BIN_EXE_vestibule").into());
        let mut command = std::process::Command::new(program);
        command.arg("verify").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, answers) = mpsc::channel();
        // Ends with the command's output, or when nobody listens any more.
        std::thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n') {
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, input, answers }
    }

    /// Asks about one row.
    pub(crate) fn ask(&mut self, line: &[u8]) -> Reply {
        let before = self.cpu();
        let written = self.input.write_all(line).and_then(|()| self.input.write_all(b"\n")).and_then(|()| self.input.flush());
        let answer = match (written, self.answers.recv_timeout(LONGEST)) {
            (Ok(()), Ok(answer)) => serde_json::from_slice(&answer).map_err(|error| format!("no JSON: {error}")),
            (Err(error), _) => Err(format!("no answer: {error}")),
            (_, Err(error)) => Err(format!("no answer: {error}")),
        };
        let cpu = self.cpu().saturating_sub(before);
        if answer.is_err() {
            *self = Self::start();
        }
        Reply { answer, cpu }
    }

    /// CPU time since the start. The command has one thread.
    fn cpu(&self) -> Duration {
        let text = std::fs::read_to_string(format!("/proc/{}/schedstat", self.child.id())).unwrap_or_default();
        Duration::from_nanos(text.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default())
    }
}

impl Drop for Command {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
