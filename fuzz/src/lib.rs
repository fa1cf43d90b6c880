//! The interpreters of the crates' own tests, so that a fuzz target, a state machine and the replay
//! of the corpus run the very same code.
#![forbid(unsafe_code)]

/// Captures for the machine of them.
#[allow(dead_code, reason = "the tests make more of it")]
#[path = "../../examples/patterns/tests/it/build.rs"]
pub mod build;
#[path = "../../examples/patterns/tests/it/machine.rs"]
pub mod capture_machine;
/// The machine's own name for it, and for what it is made of.
#[path = "../../examples/exchange/tests/it/log/disk.rs"]
pub mod disk;
#[path = "../../examples/exchange/tests/it/serve/machine.rs"]
pub mod exchange_frames_machine;
#[path = "../../examples/exchange/tests/it/log/machine.rs"]
pub mod exchange_log_machine;
#[path = "../../crates/pipe/tests/it/framing/machine.rs"]
pub mod framing_machine;
#[path = "../../examples/web/tests/it/http/machine.rs"]
pub mod http_machine;
/// What a peer of uvrpc's says, and envelopes.
#[path = "../../examples/uvrpc/tests/it/machine.rs"]
pub mod machine;
/// Orders for the machine of the log.
#[path = "../../examples/exchange/tests/it/log/made.rs"]
pub mod made;
/// The machine's own name for it.
#[path = "../../examples/web/tests/it/http/oracle.rs"]
pub mod oracle;
/// Old logs for the machine of the log.
#[path = "../../examples/exchange/tests/it/log/old.rs"]
pub mod old;
#[path = "../../crates/pipe/tests/it/machine/mod.rs"]
pub mod pipe_machine;
#[path = "../../crates/pool/tests/it/machine/mod.rs"]
pub mod pool_machine;
#[path = "../../crates/sequence/tests/it/machine/mod.rs"]
pub mod sequence_machine;
#[path = "../../crates/slice/tests/it/machine/mod.rs"]
pub mod slice_machine;
/// The machine's own name for what it is made of.
#[path = "../../examples/uvrpc/tests/it/wire.rs"]
pub mod wire;
#[path = "../../examples/streamweave/tests/it/wire_machine.rs"]
pub mod wire_machine;
