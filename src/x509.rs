//! X.509: reading, printing and judging certificates. Pure: no clock, no I/O.

pub mod certificate;
