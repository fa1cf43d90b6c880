//! The envelope: a call or a reply as a msgpack array of four.
//!
//! A call is `[id, service, method, data]`, a reply `[id, status, error, data]`. Data is binary or nil and
//! stands last, so that it is the end of its frame: what is in front of it is the head. Nothing is nested,
//! so nothing recurses, and no length that is claimed is believed before the bytes are there.

use aqueduct::{SequenceReader, SequenceRef};
use rmp::{decode, encode};
use std::{
    borrow::Cow,
    fmt,
    io::{self, ErrorKind, Read, Write},
    mem, str,
};

/// Bytes in which an id is found, if there is one: the longest array's and the longest number's.
pub(crate) const FRONT: usize = 5 + 9;
const FIELDS: u32 = 4;

/// A call, but for its data, of which it knows how many bytes stand last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallHead<'a> {
    /// The caller's number for it.
    pub id: u32,
    /// Who is called.
    pub service: Cow<'a, str>,
    /// What for.
    pub method: Cow<'a, str>,
    /// Bytes of data, or none for nil.
    pub data: Option<usize>,
}

/// A reply, but for its data, of which it knows how many bytes stand last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyHead<'a> {
    /// The number of the call.
    pub id: u32,
    /// 0 if all is well; see [`Reply`](crate::Reply).
    pub status: i64,
    /// What is wrong, in words.
    pub error: Option<Cow<'a, str>>,
    /// Bytes of data, or none for nil.
    pub data: Option<usize>,
}

/// A head that can be written.
pub trait Head {
    /// Writes it field by field.
    ///
    /// # Errors
    ///
    /// The writer's, and `InvalidInput` for data of 4 GiB and more.
    fn write_to(&self, to: &mut impl Write) -> io::Result<()>;

    /// How many bytes it has.
    fn size(&self) -> usize {
        let mut count = Count(0);
        let counted = self.write_to(&mut count);
        debug_assert!(counted.is_ok(), "data is shorter than 4 GiB");
        count.0
    }

    /// Writes it to `to`, which has its [`size`](Self::size).
    fn write(&self, mut to: &mut [u8]) {
        let written = self.write_to(&mut to);
        debug_assert!(written.is_ok() && to.is_empty(), "the room was measured");
    }
}

/// This is no envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Its id, if that could be read.
    pub id: Option<u32>,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("malformed envelope")
    }
}

impl std::error::Error for Malformed {}

impl<'a> CallHead<'a> {
    /// Reads the body of a frame. Names that lie across the end of a block are put together.
    ///
    /// # Errors
    ///
    /// [`Malformed`].
    pub fn read(body: SequenceRef<'a>) -> Result<Self, Malformed> {
        Self::read_in(body, &mut [])
    }

    /// The same, where such names are put together in `room`, and in a [`String`] where that is too short.
    ///
    /// # Errors
    ///
    /// [`Malformed`].
    pub fn read_in(body: SequenceRef<'a>, room: &'a mut [u8]) -> Result<Self, Malformed> {
        let mut fields = Fields(body.reader(), room);
        let read = |id, fields: &mut Fields<'a>| {
            let (service, method) = (fields.text()?, fields.text()?);
            Some(Self { id, service, method, data: fields.data()? })
        };
        fields.read(read)
    }
}

impl Head for CallHead<'_> {
    fn write_to(&self, to: &mut impl Write) -> io::Result<()> {
        encode::write_array_len(to, FIELDS)?;
        encode::write_uint(to, u64::from(self.id))?;
        encode::write_str(to, &self.service)?;
        encode::write_str(to, &self.method)?;
        write_data(to, self.data)
    }
}

impl<'a> ReplyHead<'a> {
    /// As [`CallHead::read`].
    ///
    /// # Errors
    ///
    /// [`Malformed`].
    pub fn read(body: SequenceRef<'a>) -> Result<Self, Malformed> {
        let mut fields = Fields(body.reader(), &mut []);
        let read = |id, fields: &mut Fields<'a>| {
            let status = decode::read_int(fields).ok()?;
            let error = if fields.nil() { None } else { Some(fields.text()?) };
            Some(Self { id, status, error, data: fields.data()? })
        };
        fields.read(read)
    }
}

impl Head for ReplyHead<'_> {
    fn write_to(&self, to: &mut impl Write) -> io::Result<()> {
        encode::write_array_len(to, FIELDS)?;
        encode::write_uint(to, u64::from(self.id))?;
        encode::write_sint(to, self.status)?;
        match &self.error {
            Some(error) => encode::write_str(to, error)?,
            None => encode::write_nil(to)?,
        }
        write_data(to, self.data)
    }
}

fn write_data(to: &mut impl Write, data: Option<usize>) -> io::Result<()> {
    match data.map(u32::try_from) {
        None => encode::write_nil(to),
        Some(Ok(len)) => Ok(_ = encode::write_bin_len(to, len)?),
        Some(Err(_)) => Err(ErrorKind::InvalidInput.into()),
    }
}

/// Counts what is written.
struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The id at the front of what may be an envelope.
pub(crate) fn id(bytes: SequenceRef<'_>) -> Option<u32> {
    Fields(bytes.reader(), &mut []).id()
}

/// The fields in turn, and room for names. Their few bytes are no payload: reading them is not counted as a
/// copy.
struct Fields<'a>(SequenceReader<'a>, &'a mut [u8]);

impl<'a> Fields<'a> {
    fn read<T>(&mut self, rest: impl FnOnce(u32, &mut Self) -> Option<T>) -> Result<T, Malformed> {
        let id = self.id().ok_or(Malformed { id: None })?;
        rest(id, self).ok_or(Malformed { id: Some(id) })
    }

    fn id(&mut self) -> Option<u32> {
        let fields = decode::read_array_len(self).ok()?;
        let id = decode::read_int(self).ok()?;
        (fields == FIELDS).then_some(id)
    }

    fn nil(&mut self) -> bool {
        const NIL: u8 = 0xc0;
        self.0.advance_if_next(&[NIL])
    }

    fn text(&mut self) -> Option<Cow<'a, str>> {
        let len = decode::read_str_len(self).ok()?;
        let text = self.0.read_slice(usize::try_from(len).ok()?).ok()?;
        if text.is_contiguous() || text.len() > self.1.len() {
            return text.to_str().ok();
        }
        let (here, rest) = mem::take(&mut self.1).split_at_mut(text.len());
        self.1 = rest;
        here.iter_mut().zip(text.segments().flatten()).for_each(|(to, byte)| *to = *byte);
        str::from_utf8(here).ok().map(Cow::Borrowed)
    }

    /// The last field, and the end.
    fn data(&mut self) -> Option<Option<usize>> {
        if self.nil() {
            return (self.0.remaining() == 0).then_some(None);
        }
        let len = usize::try_from(decode::read_bin_len(self).ok()?).ok()?;
        (self.0.remaining() == len).then_some(Some(len))
    }
}

impl Read for Fields<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let mut count = 0;
        for to in to {
            let Ok(byte) = self.0.read_u8() else { break };
            *to = byte;
            count += 1;
        }
        Ok(count)
    }
}
