//! Any bytes, whole and in pieces, against readers that are naive.

use super::wire::{cut, front, int, listen, naive, number, open};
use aqueduct::{Sequence, SequenceRef, Slice};
use aqueduct_testkit::Random;
use std::borrow::Cow;
use uvrpc::envelope::{CallHead, Head, Malformed, ReplyHead};

/// What a peer says: the first byte says how it is cut, and whether it greets as it should, the rest is it.
pub fn run_zmtp(bytes: &[u8]) {
    let Some((how, rest)) = bytes.split_first() else { return };
    let bytes = if how & 1 == 0 { [&open()[..], rest].concat() } else { rest.to_vec() };
    let expected = naive(&bytes);
    assert_eq!(listen([&bytes[..]]), expected, "whole");
    let mut random = Random::new(u64::from(*how));
    for most in [1, 2 + usize::from(how >> 1)] {
        assert_eq!(listen(cut(&mut random, &bytes, most)), expected, "at most {most} at a time");
    }
}

/// An envelope: the first byte says where it is cut, the rest is it.
pub fn run_envelope(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else { return };
    let (front, behind) = bytes.split_at(usize::from(*how).min(bytes.len()));
    let pieces = [front, behind].map(|piece| Slice::from(piece.to_vec()).pin());
    let cut: Sequence = pieces.into_iter().collect();
    for body in [SequenceRef::from(bytes), cut.as_ref()] {
        let call = CallHead::read(body);
        assert_eq!(call, call_of(bytes));
        if let Ok(call) = call {
            let written = write(&call, call.data);
            assert_eq!(CallHead::read(SequenceRef::from(&written[..])), Ok(call));
        }
        let reply = ReplyHead::read(body);
        assert_eq!(reply, reply_of(bytes));
        if let Ok(reply) = reply {
            let written = write(&reply, reply.data);
            assert_eq!(ReplyHead::read(SequenceRef::from(&written[..])), Ok(reply));
        }
    }
}

/// With some data.
fn write(head: &impl Head, data: Option<usize>) -> Vec<u8> {
    let mut bytes = vec![0; head.size()];
    head.write(&mut bytes);
    bytes.resize(bytes.len() + data.unwrap_or(0), 7);
    bytes
}

fn call_of(mut rest: &[u8]) -> Result<CallHead<'_>, Malformed> {
    let id = front(&mut rest).ok_or(Malformed { id: None })?;
    let mut fields = || Some((text(&mut rest)?, text(&mut rest)?, data(&mut rest)?));
    let (service, method, data) = fields().ok_or(Malformed { id: Some(id) })?;
    Ok(CallHead { id, service: Cow::Borrowed(service), method: Cow::Borrowed(method), data })
}

fn reply_of(mut rest: &[u8]) -> Result<ReplyHead<'_>, Malformed> {
    let id = front(&mut rest).ok_or(Malformed { id: None })?;
    let mut fields = || {
        let status = int(&mut rest)?.try_into().ok()?;
        let error = match rest.strip_prefix(&[0xc0]) {
            Some(behind) => {
                rest = behind;
                None
            }
            None => Some(Cow::Borrowed(text(&mut rest)?)),
        };
        Some(ReplyHead { id, status, error, data: data(&mut rest)? })
    };
    fields().ok_or(Malformed { id: Some(id) })
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let kind = *rest.split_off_first()?;
    let len = match kind {
        0xa0..=0xbf => i128::from(kind - 0xa0),
        0xd9..=0xdb => number(rest, 1 << (kind - 0xd9))?,
        _ => return None,
    };
    std::str::from_utf8(rest.split_off(..usize::try_from(len).ok()?)?).ok()
}

fn data(rest: &mut &[u8]) -> Option<Option<usize>> {
    let kind = *rest.split_off_first()?;
    let len = match kind {
        0xc0 => None,
        0xc4..=0xc6 => Some(usize::try_from(number(rest, 1 << (kind - 0xc4))?).ok()?),
        _ => return None,
    };
    (rest.len() == len.unwrap_or(0)).then_some(len)
}
