//! [`Options`]: what a pipe is like.

use crate::OptionsError;
use aqueduct_pool::Pool;

/// The settings of a pipe, checked when they were built. The default makes sense.
///
/// ```
/// use aqueduct_pipe::Options;
///
/// let options = Options::builder().pause(64 << 10).max_buffered(1 << 20).build()?;
/// let (writer, reader) = aqueduct_pipe::pipe(options);
/// # drop((writer, reader));
/// assert!(Options::builder().pause(50).resume(100).build().is_err());
/// # Ok::<(), aqueduct_pipe::OptionsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) pool: Option<Pool>,
    pub(crate) limits: Limits,
    pub(crate) first: usize,
    pub(crate) largest: usize,
}

/// Where a pipe stops its writer, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes not yet examined at which the writer pauses; beyond every total if it never does.
    pub(crate) pause: u64,
    /// Below how many of them it resumes; at least one, so that examining all always does.
    pub(crate) resume: u64,
    /// Bytes buffered at most.
    pub(crate) most: u64,
}

/// Two wake-ups per pause is what crossing threads costs; 64 KiB would make them four times as many.
const PAUSE: usize = 256 << 10;
/// Where segments start: what a short message needs, so that a pipe of few bytes costs few.
const FIRST: usize = 1 << 10;
/// Where doubling ends: from here on the work for a segment is lost in that for its bytes.
const LARGEST: usize = 64 << 10;
/// No segment is smaller: it would be mostly bookkeeping.
const SMALLEST: usize = 64;

impl Options {
    /// Settings to change; see [`OptionsBuilder`].
    pub fn builder() -> OptionsBuilder {
        OptionsBuilder::default()
    }
}

impl Default for Options {
    fn default() -> Self {
        match Self::builder().build() {
            Ok(options) => options,
            Err(refused) => unreachable!("the builder's own settings make sense: {refused}"),
        }
    }
}

/// Settings for a pipe; see [`Options::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build()"]
pub struct OptionsBuilder {
    pool: Option<Pool>,
    pause: Option<usize>,
    resume: Option<usize>,
    max_buffered: Option<usize>,
    first: usize,
    largest: usize,
}

impl Default for OptionsBuilder {
    fn default() -> Self {
        Self {
            pool: None,
            pause: None,
            resume: None,
            max_buffered: None,
            first: FIRST,
            largest: LARGEST,
        }
    }
}

impl OptionsBuilder {
    /// Where segments come from: [`Pool::global`] unless set. What no block of the pool is large
    /// enough for comes from the heap.
    pub fn pool(mut self, pool: &Pool) -> Self {
        self.pool = Some(pool.clone());
        self
    }

    /// Bytes flushed and not yet examined by the reader at which a flush waits: 256 KiB unless set, or
    /// [`max_buffered`](Self::max_buffered) if that is less. Zero never waits.
    ///
    /// A pace, and no limit: one flush may go far beyond, a reader that examines without consuming
    /// lets the writer go on, and so does one that waits for more than that. The limit is
    /// [`max_buffered`](Self::max_buffered).
    pub fn pause(mut self, bytes: usize) -> Self {
        self.pause = Some(bytes);
        self
    }

    /// Below how many bytes not yet examined a flush that waits ends: half of
    /// [`pause`](Self::pause) unless set. Zero is taken as one, so that a reader that has examined
    /// all there is always resumes the writer.
    pub fn resume(mut self, bytes: usize) -> Self {
        self.resume = Some(bytes);
        self
    }

    /// Bytes that the pipe holds at most, flushed or not, until the reader consumes them; no limit
    /// unless set. What would exceed it is refused.
    ///
    /// (A `Sink` is ready before it knows of what: it takes that whole, beyond the limit by less than this
    /// one item, and is ready again when the pipe is below.)
    pub fn max_buffered(mut self, bytes: usize) -> Self {
        self.max_buffered = Some(bytes);
        self
    }

    /// Bytes of the first segment, and those up to which each further one is twice as large: from 1
    /// to 64 KiB unless set. At least 64; what is [reserved](crate::Writer::reserve) at once gets a
    /// segment as large as it needs.
    pub fn segments(mut self, first: usize, largest: usize) -> Self {
        (self.first, self.largest) = (first, largest);
        self
    }

    /// The settings.
    ///
    /// # Errors
    ///
    /// [`OptionsError`] names the setting that makes no sense.
    pub fn build(self) -> Result<Options, OptionsError> {
        let Self { pool, pause, resume, max_buffered, first, largest } = self;
        let pause = pause.unwrap_or_else(|| max_buffered.map_or(PAUSE, |most| most.min(PAUSE)));
        let resume = resume.unwrap_or(pause / 2);
        if resume > pause {
            return Err(OptionsError::Resume { pause, resume });
        }
        if let Some(max_buffered) = max_buffered.filter(|most| *most < pause.max(1)) {
            return Err(OptionsError::MaxBuffered { max_buffered, pause });
        }
        if first > largest {
            return Err(OptionsError::Segments { first, largest });
        }
        let limits = Limits {
            pause: if pause == 0 { u64::MAX } else { pause as u64 },
            resume: resume.max(1) as u64,
            most: max_buffered.map_or(u64::MAX, |most| most as u64),
        };
        let (first, largest) = (first.max(SMALLEST), largest.max(SMALLEST));
        Ok(Options { pool, limits, first, largest })
    }
}
