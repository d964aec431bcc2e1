//! `vestibule openapi`: the OpenAPI document of the management API.

use std::io::Write;
use std::process::ExitCode;

use super::{done, failed};
use crate::manage::openapi_document;

pub(super) fn run(out: &mut dyn Write) -> ExitCode {
    match serde_json::to_string_pretty(&openapi_document()) {
        Ok(text) => done(writeln!(out, "{text}")),
        Err(why) => failed(&why),
    }
}
