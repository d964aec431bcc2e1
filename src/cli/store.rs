//! `vestibule store`: a backup of the custom domains, and back from it.

use std::future::Future;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::{Folder, done, failed, refused};
use crate::clock::UnixTime;
use crate::config;
use crate::domains::{Counts, DumpError, Store, StoreLocation};
use crate::secret::Pepper;

/// The arguments of `store`.
#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write all that the store of a configuration holds into a file; the process that serves goes on
    Backup {
        /// The file; one that is there is replaced once the new one is whole
        file: PathBuf,
        #[command(flatten)]
        folder: Folder,
    },
    /// Fill the empty store of a configuration from a backup, also from one of another kind of database
    Restore {
        /// The backup
        file: PathBuf,
        #[command(flatten)]
        folder: Folder,
    },
}

pub(super) fn run(args: &StoreArgs, out: &mut dyn Write) -> ExitCode {
    let (Action::Backup { file, folder } | Action::Restore { file, folder }) = &args.action;
    let loaded = match config::load(&folder.config, UnixTime::now()) {
        Ok(loaded) => loaded,
        Err(problems) => return refused(&folder.config, &problems),
    };
    let (Some(management), Ok(pepper)) = (&loaded.process.management, &loaded.process.pepper) else {
        return failed(&"the configuration has no [management], and so no store");
    };
    let (place, pepper): (&StoreLocation, &Arc<Pepper>) = (&management.store, pepper);
    let (counts, verb) = match &args.action {
        Action::Backup { .. } => (wait(Store::back_up(place, file, pepper, UnixTime::now())), "written"),
        Action::Restore { .. } => (wait(Store::restore(place, file, pepper)), "restored"),
    };
    match counts {
        Ok(counts) => {
            let rows: Vec<String> = counts.rows.iter().map(|(table, rows)| format!("{rows} {table}")).collect();
            done(writeln!(out, "{verb}: revision {}, {}", counts.revision, rows.join(", ")))
        }
        Err(why) => failed(&why),
    }
}

fn wait(work: impl Future<Output = Result<Counts, DumpError>>) -> Result<Counts, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|why| why.to_string())?;
    runtime.block_on(work).map_err(|why| why.to_string())
}
