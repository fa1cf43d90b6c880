//! Captures and frames, put together by hand.

use std::ops::ControlFlow;

use patterns::capture::Capture;
use patterns::packets::{self, Packet};
use patterns::{Error, Fault, Mode};

/// How a capture is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) big_endian: bool,
    pub(crate) nanoseconds: bool,
    pub(crate) link: u32,
}

/// Microseconds, little-endian, Ethernet.
pub(crate) const PLAIN: Style = Style { big_endian: false, nanoseconds: false, link: 1 };

impl Style {
    pub(crate) fn word(self, value: u32) -> [u8; 4] {
        if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn half(self, value: u16) -> [u8; 2] {
        if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub(crate) fn header(self) -> Vec<u8> {
        let magic = if self.nanoseconds { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
        let mut out = self.word(magic).to_vec();
        out.extend(self.half(2));
        out.extend(self.half(4));
        out.extend([0; 8]);
        out.extend(self.word(65_535));
        out.extend(self.word(self.link));
        out
    }

    pub(crate) fn record(
        self,
        seconds: u32,
        fraction: u32,
        original: u32,
        frame: &[u8],
    ) -> Vec<u8> {
        let captured = u32::try_from(frame.len()).expect("a short frame");
        let words = [seconds, fraction, captured, original];
        let mut out: Vec<u8> = words.into_iter().flat_map(|word| self.word(word)).collect();
        out.extend(frame);
        out
    }

    /// A capture of these frames, none cut.
    pub(crate) fn file(self, frames: &[&[u8]]) -> Vec<u8> {
        let mut out = self.header();
        for frame in frames {
            let original = u32::try_from(frame.len()).expect("a short frame");
            out.extend(self.record(7, 9, original, frame));
        }
        out
    }
}

/// The bytes that a line of hexadecimal digits stands for.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let value = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(pair, 16).expect("two digits")
    };
    digits.chunks(2).map(value).collect()
}

/// A packet that owns what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) time_ns: u64,
    pub(crate) original: usize,
    pub(crate) offset: u64,
    pub(crate) header: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

impl Seen {
    fn of<P: AsRef<[u8]>>(packet: &Packet<'_, P>) -> Seen {
        Seen {
            time_ns: packet.record.time_ns,
            original: packet.record.original,
            offset: packet.offset,
            header: packet.header.bytes().to_vec(),
            payload: packet.payload.as_ref().to_vec(),
        }
    }
}

/// All packets up to the end or the first fault.
pub(crate) fn packets(capture: &mut Capture, mode: Mode) -> (Vec<Seen>, Result<(), Error>) {
    let mut seen = Vec::new();
    let end = match mode {
        Mode::Copying => packets::copying(capture, |packet| {
            seen.push(Seen::of(&packet));
            ControlFlow::Continue(())
        }),
        Mode::ZeroCopy => packets::zero_copy(capture, |packet| {
            seen.push(Seen::of(&packet));
            ControlFlow::Continue(())
        }),
    };
    (seen, end.map(|_| ()))
}

/// The same from bytes, with the fault that ended it; both modes must agree.
pub(crate) fn read(bytes: &[u8]) -> (Vec<Seen>, Option<Fault>) {
    let mut capture = Capture::spooled("test", bytes).expect("a temporary file");
    let fault = |end: Result<(), Error>| match end {
        Ok(()) => None,
        Err(Error::Capture { fault, .. }) => Some(fault),
        Err(other) => panic!("{other}"),
    };
    let (seen, end) = packets(&mut capture, Mode::ZeroCopy);
    let (copied, copied_end) = packets(&mut capture, Mode::Copying);
    let (end, copied_end) = (fault(end), fault(copied_end));
    assert_eq!((&seen, end), (&copied, copied_end), "the modes differ");
    (seen, end)
}
