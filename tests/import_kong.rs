//! `vestibule import kong` and `vestibule import zuplo`: files in their shapes, as folders that load and do the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "journey/bank.rs"]
#[allow(dead_code, reason = "made for another test program; this one uses a part of it")]
mod bank;
#[path = "support/edge_config.rs"]
mod edge_config;
#[path = "support/http_client.rs"]
mod http_client;
#[path = "support/pki.rs"]
mod pki;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/recording_upstream.rs"]
mod recording_upstream;
#[path = "support/vestibule.rs"]
mod vestibule_program;

#[path = "import_kong/hostile.rs"]
mod hostile;
#[path = "import_kong/left_out.rs"]
mod left_out;
#[path = "import_kong/router.rs"]
mod router;
#[path = "import_kong/scopes.rs"]
mod scopes;
#[path = "import_kong/served.rs"]
mod served;
#[path = "import_kong/set_up.rs"]
mod set_up;
#[path = "import_kong/tables.rs"]
mod tables;
#[path = "import_kong/zuplo.rs"]
mod zuplo;
