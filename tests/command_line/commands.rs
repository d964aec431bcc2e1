//! What all commands have in common.

use std::fs::File;
use std::process::Stdio;

use crate::edge_config::{Folder, ran, run, vestibule};

const COMMANDS: [&str; 9] = ["check", "demo", "explain", "front-door", "import", "inspect", "keygen", "serve", "verify"];

#[test]
fn help_and_version() {
    let help = run(vestibule().arg("--help"), b"");
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    for command in COMMANDS {
        assert!(help.stdout.contains(&format!("  {command} ")), "{}", help.stdout);
        let help = run(vestibule().args([command, "--help"]), b"");
        assert_eq!((help.code, help.stderr.as_str()), (0, ""));
        assert!(help.stdout.contains(&format!("Usage: vestibule {command}")), "{}", help.stdout);
    }
    let version = run(vestibule().arg("--version"), b"");
    assert_eq!((version.code, version.stdout), (0, format!("vestibule {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn a_wrong_command_line_is_64() {
    for arguments in [
        &[][..],
        &["chekc"],
        &["--config", "x"],
        &["check", "--strange"],
        &["check", "--config"],
        &["check", "extra"],
        &["explain", "--at", "yesterday"],
        &["explain", "--peer", "localhost"],
        &["keygen", "--pepper", "--config", "x"],
        &["inspect"],
        &["import"],
        &["import", "kong", "x.json"],
    ] {
        let ran = run(vestibule().args(arguments), b"");
        assert_eq!((ran.code, ran.stdout.as_str()), (64, ""), "{arguments:?}");
        assert!(ran.stderr.starts_with("vestibule: ") && !ran.stderr.contains("error:"), "{}", ran.stderr);
        assert!(ran.stderr.contains("--help") || ran.stderr.contains("Usage: "), "{}", ran.stderr);
    }
}

#[test]
fn a_wrong_configuration_is_64() {
    let folder = Folder::good();
    folder.edit("vestibule.toml", "workers = 2", "workers = -2");
    for command in ["check", "explain", "serve"] {
        let ran = folder.run(&[command], &[], b"");
        assert_eq!((ran.code, ran.stdout.as_str()), (64, ""), "{command}");
        assert!(ran.stderr.starts_with("vestibule: ") && ran.stderr.contains("vestibule: 1 problem in `"), "{}", ran.stderr);
    }
    for command in ["check", "explain", "serve", "keygen"] {
        let ran = run(vestibule().args([command, "--config", "/nowhere"]), b"");
        assert_eq!((ran.code, ran.stdout.as_str()), (64, ""), "{command}");
    }
}

#[test]
fn everything_else_that_goes_wrong_is_1() {
    let folder = Folder::good();
    let missing = folder.run(&["explain", "/nowhere/head"], &[], b"");
    assert_eq!((missing.code, missing.stdout.as_str()), (1, ""));
    assert!(missing.stderr.starts_with("vestibule: the request head cannot be read: "), "{}", missing.stderr);
    let missing = run(vestibule().args(["inspect", "/nowhere/certificate"]), b"");
    assert_eq!(missing.code, 1);
    assert!(missing.stderr.starts_with("vestibule: cannot read a certificate"), "{}", missing.stderr);
    folder.edit("vestibule.toml", "access = \"off\"", "access = \"/nowhere/access.log\"");
    let serve = folder.run(&["serve"], &[], b"");
    assert_eq!(serve.code, 1);
    assert!(serve.stderr.contains("vestibule: the access log cannot be opened: "), "{}", serve.stderr);
}

/// A reader that leaves at once, as `head` does.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn a_reader_that_leaves_is_no_panic() {
    let folder = Folder::good();
    let path = folder.path("");
    let pem = folder.path("trusted-ca/root.pem");
    let (config, pem) = (path.to_str().unwrap(), pem.to_str().unwrap());
    let commands: [&[&str]; 7] = [
        &["check", "--config", config],
        &["explain", "--config", config],
        &["inspect", pem],
        &["keygen", "--config", config],
        &["keygen", "--pepper"],
        &["--help"],
        &["verify"],
    ];
    for arguments in commands {
        let output = vestibule()
            .args(arguments)
            .stdin(File::open(folder.path("vestibule.toml")).unwrap())
            .stdout(closed_pipe())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let ran = ran(&output);
        assert_eq!(ran.code, 1, "{arguments:?}: {}", ran.stderr);
        // Nobody is left to tell either.
        let both =
            vestibule().args(arguments).stdin(Stdio::null()).stdout(closed_pipe()).stderr(closed_pipe()).output().unwrap();
        assert!(matches!(both.status.code(), Some(0 | 1 | 64)), "{arguments:?}: {both:?}");
    }
    for arguments in [&["check", "--config", "/nowhere"][..], &["chekc"], &["inspect", "/nowhere"], &[]] {
        let output = vestibule().args(arguments).stderr(closed_pipe()).output().unwrap();
        assert!(matches!(output.status.code(), Some(1 | 64)), "{arguments:?}: {output:?}");
    }
}
