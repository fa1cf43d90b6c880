//! HTTP between two pipes.

mod answers;
pub mod differential;
mod hostile;
pub mod machine;
pub mod oracle;
