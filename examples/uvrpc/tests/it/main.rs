//! The port from outside: libzmq on the other side, hostile peers, both modes, three transports.

#![allow(clippy::disallowed_methods, reason = "tests copy what they compare")]
#![allow(clippy::cast_possible_truncation, reason = "small numbers")]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

mod bench;
mod calls;
mod command;
mod differential;
mod ends;
mod envelopes;
mod faults;
mod hostile;
mod limits;
mod long;
mod machine;
mod page;
mod peer;
mod profiles;
mod pyzmq;
mod raw;
mod reconnect;
mod session;
mod slices;
mod wire;
