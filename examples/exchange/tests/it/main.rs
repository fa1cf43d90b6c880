//! The exchange from outside.

#![allow(clippy::disallowed_methods, reason = "tests copy what they compare")]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

mod log;
mod migrate;
