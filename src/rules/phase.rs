//! When a rule runs.

/// A phase; they run in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// First: who may come in at all.
    Firewall,
    /// Then: what the upstream gets.
    #[default]
    Request,
    /// Last, when the upstream has answered: what the client gets.
    Response,
}

impl Phase {
    /// Every phase with its word.
    pub const ALL: [(&'static str, Self); 3] =
        [("firewall", Self::Firewall), ("request", Self::Request), ("response", Self::Response)];

    /// The word in the configuration and in `explain`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Firewall => "firewall",
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}
