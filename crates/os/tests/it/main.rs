//! What the crate does with real files, sockets and pipes.
