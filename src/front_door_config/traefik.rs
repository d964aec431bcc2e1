//! Traefik: its certificate header has one name and one form, which only `format = "traefik"` reads.

use super::File;
use super::plan::Plan;

pub(super) fn files(plan: &Plan) -> Result<Vec<File>, String> {
    Err(format!(
        "Traefik sends certificates as `X-Forwarded-Tls-Client-Cert`, bare base64 of its own: the front door `{}` has another \
         format",
        plan.name
    ))
}
