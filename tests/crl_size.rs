//! A list of 500,000 entries: how long it takes to read, what it keeps in memory, and that every lookup is right.
//!
//! The memory is that of a process which does nothing else (`/proc/self/status`, Linux): the test starts itself once more, with
//! the list in a file. The numbers that count
//! are those of `cargo test --release --test crl_size -- --nocapture`; the bounds asserted hold for a debug build on a busy
//! machine as well.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout, reason = "how the process that measures tells the one that asks")]

mod support {
    pub(crate) mod crl_writer;
    pub(crate) mod pki;
}

use std::time::{Duration, Instant};

use openssl::bn::BigNum;
use openssl::x509::{CrlStatus, X509Crl};
use support::crl_writer::{CrlWriter, reason};
use support::pki::{Ca, DAY, NOW};
use vestibule::x509::crl::{CrlIndex, ReasonCode};

const ENTRIES: u64 = 500_000;

/// Sixteen octets that look random, as CAs use them, positive; of every seventh the first octets are zero, so it is shorter.
fn serial(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
    let mut octets = Vec::with_capacity(17);
    for _ in 0..2 {
        state ^= state >> 30;
        state = state.wrapping_mul(0xBF58_476D_1CE4_E5B9);
        state ^= state >> 27;
        octets.extend(state.to_be_bytes());
    }
    if number.is_multiple_of(7) {
        octets.drain(..4);
    }
    if octets[0] == 0 {
        octets[0] = 1;
    }
    if octets[0] & 0x80 != 0 {
        octets.insert(0, 0);
    }
    octets
}

fn status(key: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// Memory beside the list itself.
struct Memory {
    kept: usize,
    peak: usize,
}

/// The name of the variable with the list's file, for the process that measures.
const FILE: &str = "VESTIBULE_TEST_CRL";

fn measured_alone(der: &[u8]) -> Memory {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), der).unwrap();
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "measure", "--nocapture", "--test-threads=1"]).env(FILE, file.path());
    let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let line = output.lines().find_map(|line| line.split_once("MEMORY ")).unwrap_or_else(|| panic!("{output}")).1;
    let (kept, peak) = line.split_once(' ').unwrap();
    Memory { kept: kept.parse().unwrap(), peak: peak.parse().unwrap() }
}

/// Does nothing unless started by `measured_alone`.
#[test]
fn measure() {
    let Some(file) = std::env::var_os(FILE) else { return };
    let der = std::fs::read(file).unwrap();
    let before = status("VmRSS");
    let index = CrlIndex::from_der(&der).unwrap();
    let (kept, peak) = (status("VmRSS").saturating_sub(before), status("VmHWM").saturating_sub(before));
    println!("MEMORY {kept} {peak}");
    assert_eq!(index.len(), 500_000);
}

fn megabytes(octets: usize) -> f64 {
    octets as f64 / f64::from(1 << 20)
}

#[test]
fn half_a_million_entries() {
    let ca = Ca::root("Root");
    let mut list = CrlWriter::of(&ca.certificate, NOW);
    for number in 0..ENTRIES {
        let reason = if number % 3 == 0 { vec![reason(if number % 2 == 0 { 1 } else { 6 })] } else { vec![] };
        list.push(&serial(number), NOW.plus(-DAY - i64::try_from(number).unwrap()), &reason);
    }
    let der = list.sign(&ca.key);
    drop(list);

    let memory = measured_alone(&der);
    let started = Instant::now();
    let index = CrlIndex::from_der(&der).unwrap();
    let load = started.elapsed();

    let started = Instant::now();
    let found = (0..ENTRIES).step_by(5).filter(|number| index.entry(&serial(*number)).is_some()).count();
    let lookup = started.elapsed() / 100_000;
    assert_eq!(found, 100_000);
    assert!((ENTRIES..2 * ENTRIES).step_by(5).all(|number| index.entry(&serial(number)).is_none()));

    eprintln!(
        "{ENTRIES} entries, {:.1} MB: read in {load:?}, one lookup {lookup:?} with making the number; memory {:.1} MB counted, \
         by RSS {:.1} MB kept, {:.1} MB at the peak",
        megabytes(der.len()),
        megabytes(index.memory()),
        megabytes(memory.kept),
        megabytes(memory.peak),
    );
    assert!(index.memory() < der.len(), "less than the file");
    assert!(memory.kept < der.len() * 2, "{}", memory.kept);
    assert!(memory.peak < der.len() * 4, "{}", memory.peak);
    assert!(load < Duration::from_secs(30), "{load:?}");

    let started = Instant::now();
    let openssl = X509Crl::from_der(&der).unwrap();
    let load = started.elapsed();
    let one = BigNum::from_slice(&serial(1)).unwrap().to_asn1_integer().unwrap();
    let started = Instant::now();
    assert!(matches!(openssl.get_by_serial(&one), CrlStatus::Revoked(_)));
    let first = started.elapsed();
    let started = Instant::now();
    assert!((0..1000).all(|_| matches!(openssl.get_by_serial(&one), CrlStatus::Revoked(_))));
    eprintln!("OpenSSL's object: read in {load:?}, first lookup {first:?}, then {:?}", started.elapsed() / 1000);
    assert!(openssl.verify(&ca.certificate.public_key().unwrap()).unwrap());
    for number in (0..2 * ENTRIES).step_by(997) {
        let integer = BigNum::from_slice(&serial(number)).unwrap().to_asn1_integer().unwrap();
        let theirs = matches!(openssl.get_by_serial(&integer), CrlStatus::Revoked(_));
        let ours = index.entry(&serial(number));
        assert_eq!(ours.is_some(), theirs, "{number}");
        if let Some(entry) = ours {
            let wanted = match number {
                number if number % 3 != 0 => ReasonCode::Unspecified,
                number if number % 2 == 0 => ReasonCode::KeyCompromise,
                _ => ReasonCode::CertificateHold,
            };
            assert_eq!((entry.reason, entry.revoked_at), (wanted, NOW.plus(-DAY - i64::try_from(number).unwrap())));
        }
    }
}
