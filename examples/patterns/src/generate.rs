//! A made-up capture: every link layer feature that the parser knows, in a fixed, repeatable
//! mixture.

use std::io::{self, Write};

use crate::format::RECORD_HEADER;

/// Bytes kept of each frame; the few longer frames come out cut.
const SNAPLEN: usize = 1400;
/// The longest payload made up.
const LONGEST: usize = 1460;

/// Writes a capture (Ethernet, microseconds, little-endian) of so many packets: TCP with options,
/// UDP, VLAN tags, IPv6, fragments, frames padded to Ethernet's minimum and frames cut by the
/// snapshot length.
///
/// # Errors
///
/// Those of `out`.
pub fn capture(packets: u64, out: &mut impl Write) -> io::Result<()> {
    out.write_all(&0xa1b2_c3d4_u32.to_le_bytes())?;
    out.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
    out.write_all(&(SNAPLEN as u32).to_le_bytes())?;
    out.write_all(&1_u32.to_le_bytes())?;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut frame = Vec::with_capacity(LONGEST + 100);
    for number in 0..packets {
        frame.clear();
        fill_frame(&mut frame, number, &mut random);
        record(number, &frame, out)?;
    }
    Ok(())
}

fn record(number: u64, frame: &[u8], out: &mut impl Write) -> io::Result<()> {
    let captured = frame.len().min(SNAPLEN);
    let fields = [number / 1_000_000, number % 1_000_000, captured as u64, frame.len() as u64];
    let mut header = [0; RECORD_HEADER];
    for (field, bytes) in fields.into_iter().zip(header.chunks_exact_mut(4)) {
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = (field >> (8 * i)) as u8;
        }
    }
    out.write_all(&header)?;
    out.write_all(&frame[..captured])
}

fn fill_frame(frame: &mut Vec<u8>, number: u64, random: &mut Random) {
    let udp = random.below(4) == 0;
    let v6 = random.below(5) == 0;
    let payload = match random.below(4) {
        0 => 0,
        1 => random.below(24),
        2 => random.below(300),
        _ => random.below(LONGEST + 1),
    };
    frame.extend([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
    if random.below(8) == 0 {
        frame.extend([0x81, 0x00, 0x00, 42]);
    }
    let options = if udp { 0 } else { 12 * random.below(2) };
    let transport = if udp { 8 } else { 20 + options } + payload;
    let protocol = if udp { 17 } else { 6 };
    let mut fragment = false;
    if v6 {
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        push16(frame, transport);
        frame.extend([protocol, 64]);
        frame.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        frame.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    } else {
        fragment = random.below(50) == 0;
        frame.extend([8, 0, 0x45, 0]);
        push16(frame, 20 + transport);
        push16(frame, number as usize & 0xffff);
        frame.extend([if fragment { 0x20 } else { 0x40 }, 0, 64, protocol, 0, 0]);
        frame.extend([192, 0, 2, 1, 198, 51, 100, 2]);
    }
    push16(frame, 1024 + random.below(1000));
    push16(frame, if fragment { 0 } else { 80 });
    if udp {
        push16(frame, transport);
        push16(frame, 0);
    } else {
        frame.extend((number as u32).to_be_bytes());
        frame.extend([0, 0, 0, 0, (5 + options / 4) as u8 * 16, 0x18, 0x10, 0, 0, 0, 0, 0]);
        frame.extend(std::iter::repeat_n(1, options));
    }
    frame.extend(std::iter::repeat_with(|| random.next() as u8).take(payload));
    while frame.len() < 60 {
        frame.push(0);
    }
}

fn push16(frame: &mut Vec<u8>, value: usize) {
    frame.extend([(value >> 8) as u8, value as u8]);
}

/// A xorshift generator: the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit
    }
}
