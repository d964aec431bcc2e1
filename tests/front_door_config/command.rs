//! What the command prints and refuses.
