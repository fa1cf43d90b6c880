//! The command line of the port: see the README.

#![forbid(unsafe_code)]

fn main() {}
