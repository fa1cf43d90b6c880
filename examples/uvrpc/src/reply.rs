//! [`Reply`]: what comes of a call.

use crate::Payload;
use aqueduct::Str;

/// What comes of a call: a status, an error in words, and data; each of the last two or none.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// [`OK`](Self::OK), one of the others here, or what the handler says.
    pub status: i64,
    /// What is wrong.
    pub error: Option<Str>,
    /// The data.
    pub data: Option<Payload>,
}

impl Reply {
    /// All is well.
    pub const OK: i64 = 0;
    /// Something is not.
    pub const ERROR: i64 = -1;
    /// The call makes no sense.
    pub const INVALID: i64 = -2;
    /// There is no memory for it.
    pub const NO_MEMORY: i64 = -3;
    /// Nobody has registered the service.
    pub const NOT_FOUND: i64 = -4;
    /// It took too long.
    pub const TIMEOUT: i64 = -5;

    /// Well, with data or none.
    #[must_use]
    pub fn ok(data: impl Into<Option<Payload>>) -> Self {
        Self { data: data.into(), ..Self::default() }
    }

    /// Not well, for this reason.
    #[must_use]
    pub fn error(status: i64, why: &'static str) -> Self {
        Self { status, error: Some(Str::from_static(why)), data: None }
    }

    /// Whether the status is 0.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.status == Self::OK
    }
}
