//! Where messages come from and go to: generator, lines of files and sockets; counter, file.

use crate::{
    ANY, BuildError, Failure, Make, Message, Meta, Next, Node, Operator, Outputs, Parameters,
    Source, function::stateless, operators::simple::BYTES,
};
use aqueduct::{Pool, Slice, SliceMut};
use std::{
    fs::File,
    io::{self, BufWriter, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Bytes that lines are read by; a longer line gets a larger block.
const BLOCK: usize = 64 << 10;
/// The longest line: what is longer is no text.
const LONGEST: usize = 16 << 20;

/// How long an item waits at most for others that are written with it.
const WRITTEN: Duration = Duration::from_millis(500);

/// Keys that a generator has at most: each is made beforehand.
const KEYS: u64 = 1 << 20;

pub(crate) const ALL: &[(&str, Make)] = &[
    ("generate", generate),
    ("lines", lines),
    ("tcp-lines", tcp_lines),
    ("count", count),
    ("file", file),
];

/// `count` items: a number in digits, with dots behind it up to `size` bytes.
fn generate(parameters: &mut Parameters) -> Result<Node, BuildError> {
    let count = parameters.number("count")?.unwrap_or(u64::MAX);
    let size = parameters.number("size")?.unwrap_or(0);
    let size = usize::try_from(size).ok().filter(|&size| size <= 1 << 30);
    let size = size.ok_or_else(|| parameters.bad("\"size\" is at most 1 GiB"))?;
    let keys = parameters.number("keys")?.unwrap_or(0);
    let rate = parameters.number("rate")?;
    if keys > KEYS || rate == Some(0) {
        return Err(parameters.bad("\"keys\" is at most 1048576, and \"rate\" from 1 on"));
    }
    let base = Meta::default().with_source(parameters.name());
    let metas = (0..keys).map(|key| base.clone().with_key(format!("k{key}"))).collect::<Vec<_>>();
    let metas: Arc<[Meta]> = if metas.is_empty() { [base].into() } else { metas.into() };
    let make = move || -> Result<Box<dyn Source>, Failure> {
        let begun = Instant::now();
        Ok(Box::new(Generate { count, size, rate, begun, metas: metas.clone(), turn: 0, next: 0 }))
    };
    Ok(Node::source(parameters.name(), BYTES, Arc::new(make)))
}

struct Generate {
    count: u64,
    size: usize,
    rate: Option<u64>,
    begun: Instant,
    metas: Arc<[Meta]>,
    turn: usize,
    next: u64,
}

impl Source for Generate {
    fn next(&mut self) -> Result<Next, Failure> {
        let sequence = self.next;
        if sequence >= self.count {
            return Ok(Next::End);
        }
        let due = |rate: u64| sequence as f64 / rate as f64 > self.begun.elapsed().as_secs_f64();
        if self.rate.is_some_and(due) {
            return Ok(Next::Idle);
        }
        self.next += 1;
        let mut block = Pool::global().get(self.size.max(20));
        write!(block, "{sequence}")?;
        if block.len() < self.size {
            block.resize(self.size, b'.');
        }
        let meta = self.metas[self.turn].clone();
        self.turn = (self.turn + 1) % self.metas.len();
        Ok(Next::Item(Message {
            payload: block.freeze().into(),
            sequence,
            timestamp: sequence,
            meta,
        }))
    }
}

/// Lines as slices of the blocks that they were read into.
struct Lines<R> {
    reader: R,
    /// What was read and is not given yet.
    chunk: Slice,
    /// A line that has begun.
    open: SliceMut,
    ended: bool,
    /// What comes up to the next line is the rest of one that was too long.
    refused: bool,
    meta: Meta,
    sequence: u64,
}

impl<R: Read + Send> Lines<R> {
    fn new(reader: R, name: &str, sequence: u64) -> Self {
        let meta = Meta::default().with_source(name);
        let (chunk, open) = (Slice::new(), SliceMut::new());
        Self { reader, chunk, open, ended: false, refused: false, meta, sequence }
    }

    /// The next line; `None` at the end.
    fn line(&mut self) -> Result<Option<Slice>, io::Error> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.chunk) {
                let line = self.chunk.split_to(end);
                self.chunk.advance(1);
                if std::mem::take(&mut self.refused) {
                    continue;
                }
                let short = line.strip_suffix(b"\r").map(<[u8]>::len);
                return Ok(Some(short.map_or_else(|| line.clone(), |short| line.slice(..short))));
            }
            if self.ended {
                let last = std::mem::take(&mut self.chunk);
                return Ok(Some(last).filter(|last| !last.is_empty() && !self.refused));
            }
            self.fill()?;
        }
    }

    /// Reads behind the line that has begun, which moves to a block of its own: copied, and counted.
    fn fill(&mut self) -> Result<(), io::Error> {
        if self.open.is_empty() {
            let mut begun = std::mem::take(&mut self.chunk);
            if self.refused {
                begun = Slice::new();
            } else if begun.len() > LONGEST {
                self.refused = true;
                return Err(io::Error::other(format!("a line of more than {LONGEST} bytes")));
            }
            self.open = Pool::global().get(BLOCK.max(2 * begun.len()));
            self.open.extend_from_slice(&begun);
        }
        let (begun, room) = (self.open.len(), self.open.capacity() - self.open.len());
        let read = self.open.read_from(&mut self.reader, room)?;
        self.ended = read == 0;
        // Else there is room for what follows: a line that comes byte by byte is not moved at each.
        if self.ended || read == room || memchr::memchr(b'\n', &self.open[begun..]).is_some() {
            self.chunk = std::mem::take(&mut self.open).freeze();
        }
        Ok(())
    }
}

impl<R: Read + Send> Source for Lines<R> {
    fn next(&mut self) -> Result<Next, Failure> {
        let line = match self.line() {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(Next::End),
            Err(error) if would_wait(&error) => return Ok(Next::Idle),
            Err(error) => {
                // Who goes on without what cannot be read does not read it again and again.
                self.ended |= !self.refused;
                return Err(Failure::from(error).lost());
            }
        };
        let (sequence, meta) = (self.sequence, self.meta.clone());
        self.sequence += 1;
        Ok(Next::Item(Message { payload: line.into(), sequence, timestamp: now(), meta }))
    }
}

fn would_wait(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn lines(parameters: &mut Parameters) -> Result<Node, BuildError> {
    let (path, name) = (parameters.needed_text("path")?, parameters.name().to_owned());
    let make = move || -> Result<Box<dyn Source>, Failure> {
        let file = File::open(&path).map_err(|error| Failure::new(format!("{path}: {error}")))?;
        Ok(Box::new(Lines::new(file, &name, 0)))
    };
    Ok(Node::source(parameters.name(), BYTES, Arc::new(make)))
}

/// Listens, and gives the lines of `connections` clients, one client after the other.
fn tcp_lines(parameters: &mut Parameters) -> Result<Node, BuildError> {
    let (listen, name) = (parameters.needed_text("listen")?, parameters.name().to_owned());
    let connections = parameters.number("connections")?.unwrap_or(u64::MAX);
    let make = move || -> Result<Box<dyn Source>, Failure> {
        let said = |error| Failure::new(format!("{listen}: {error}"));
        let listener = TcpListener::bind(&listen).map_err(said)?;
        listener.set_nonblocking(true)?;
        Ok(Box::new(Clients { listener, connections, client: None, name: name.clone(), next: 0 }))
    };
    let node = Node::source(parameters.name(), BYTES, Arc::new(make));
    Ok(Node { thread: true, ..node })
}

struct Clients {
    listener: TcpListener,
    connections: u64,
    client: Option<Lines<TcpStream>>,
    name: String,
    /// The first sequence number of the next client.
    next: u64,
}

impl Source for Clients {
    fn next(&mut self) -> Result<Next, Failure> {
        if let Some(client) = &mut self.client {
            match client.next() {
                Ok(Next::End) => {
                    self.next = client.sequence;
                    self.client = None;
                }
                other => return other,
            }
        }
        if self.connections == 0 {
            return Ok(Next::End);
        }
        match self.listener.accept() {
            Ok((client, _)) => {
                client.set_nonblocking(true)?;
                self.connections -= 1;
                self.client = Some(Lines::new(client, &self.name, self.next));
                Ok(Next::Idle)
            }
            Err(error) if would_wait(&error) => Ok(Next::Idle),
            // A client that has gone again is not yet one of those that are counted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => Ok(Next::Idle),
            Err(error) => Err(error.into()),
        }
    }
}

fn count(parameters: &mut Parameters) -> Result<Node, BuildError> {
    let work = |_: Message, _: &mut Outputs<'_>| Ok(());
    Ok(Node::sink(parameters.name(), ANY, stateless(work)))
}

/// Each payload as a line.
fn file(parameters: &mut Parameters) -> Result<Node, BuildError> {
    let path = parameters.needed_text("path")?;
    let make = move || -> Result<Box<dyn Operator>, Failure> {
        let file = File::create(&path).map_err(|error| Failure::new(format!("{path}: {error}")))?;
        let to = BufWriter::with_capacity(BLOCK, file);
        let file = Arc::new(Mutex::new(Written { to, rest: Slice::new() }));
        let seen = Arc::downgrade(&file);
        // What comes slowly is in the file soon, whatever the thread waits for that takes items.
        let leave = move || {
            while let Some(file) = seen.upgrade() {
                // What fails here fails again at the next item, or at the end.
                let _ = file.lock().unwrap_or_else(PoisonError::into_inner).leave();
                drop(file);
                thread::sleep(WRITTEN);
            }
        };
        thread::Builder::new().name("weave-file".to_owned()).spawn(leave)?;
        Ok(Box::new(file))
    };
    Ok(Node::sink(parameters.name(), ANY, Arc::new(make)))
}

struct Written<W: Write> {
    to: BufWriter<W>,
    /// What is not written yet of a long item.
    rest: Slice,
}

impl<W: Write> Written<W> {
    /// Writes what was taken before, from where the last try ended.
    fn leave(&mut self) -> io::Result<()> {
        self.to.flush()?;
        while !self.rest.is_empty() {
            match self.to.get_mut().write(&self.rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.rest.advance(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if self.rest.is_empty() {
                self.to.write_all(b"\n")?;
            }
        }
        Ok(())
    }
}

impl<W: Write + Send> Operator for Written<W> {
    /// Either it fails before it takes the item, so that a second try doubles nothing, or it takes it whole.
    fn on_item(&mut self, _: usize, message: Message, _: &mut Outputs<'_>) -> Result<(), Failure> {
        let bytes = message.payload.to_bytes()?;
        if !self.rest.is_empty() || self.to.buffer().len() + bytes.len() >= BLOCK {
            self.leave()?;
        }
        if bytes.len() < BLOCK / 2 {
            self.to.write_all(&bytes)?;
            return Ok(self.to.write_all(b"\n")?);
        }
        self.leave()?;
        self.rest = bytes;
        // What fails here fails again at the next item, or at the end.
        let _ = self.leave();
        Ok(())
    }

    fn on_end(&mut self, _: &mut Outputs<'_>) -> Result<(), Failure> {
        let left = self.leave().and_then(|()| self.to.flush());
        left.map_err(|error| Failure::from(error).unwritten())
    }
}

/// One that another thread looks after, too.
impl<O: Operator> Operator for Arc<Mutex<O>> {
    fn on_item(
        &mut self,
        port: usize,
        message: Message,
        out: &mut Outputs<'_>,
    ) -> Result<(), Failure> {
        self.lock().unwrap_or_else(PoisonError::into_inner).on_item(port, message, out)
    }

    fn on_end(&mut self, out: &mut Outputs<'_>) -> Result<(), Failure> {
        self.lock().unwrap_or_else(PoisonError::into_inner).on_end(out)
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make what they compare")]
mod tests {
    use super::*;
    use aqueduct::meter;

    /// Takes few bytes at a time, and nothing at each third call.
    #[derive(Default)]
    struct Full {
        calls: usize,
        got: Vec<u8>,
    }

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.calls += 1;
            if self.calls.is_multiple_of(3) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let some = bytes.len().min(30_000);
            self.got.extend_from_slice(&bytes[..some]);
            Ok(some)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// One byte at a time, as a slow client's come.
    struct Slow(Vec<u8>, usize);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(byte) = self.0.get(self.1) else { return Ok(0) };
            buffer[0] = *byte;
            self.1 += 1;
            Ok(1)
        }
    }

    #[test]
    fn a_line_that_comes_byte_by_byte_is_moved_seldom() {
        let text = [b"x".repeat(200_000), b"\n\ny".to_vec()].concat();
        let (before, mut lines) = (meter::thread(), Lines::new(Slow(text, 0), "slow", 0));
        let mut lengths = Vec::new();
        while let Some(line) = lines.line().expect("read") {
            lengths.push(line.len());
        }
        let copied = (meter::thread() - before).bytes;
        assert_eq!(lengths, [200_000, 0, 1]);
        assert!(copied < 400_000, "{copied}");
    }

    #[test]
    fn a_full_disk_and_another_try_double_nothing() {
        let to = BufWriter::with_capacity(BLOCK, Full::default());
        let mut file = Written { to, rest: Slice::new() };
        let (mut stack, mut failures, mut want) = (Vec::new(), 0, Vec::new());
        let travel = crate::operator::Travel::Move;
        let mut out = Outputs { stack: &mut stack, ports: &[], counts: &mut [], travel };
        for (letter, size) in
            [1, 200_000, 0, 65_535, 65_536, 10, 32_768, 32_767, 50_000].into_iter().enumerate()
        {
            let item = [b'a' + u8::try_from(letter).expect("few")].repeat(size);
            want.extend_from_slice(&[&item[..], b"\n"].concat());
            while file.on_item(0, Message::new(item.clone()), &mut out).is_err() {
                failures += 1;
            }
        }
        while file.on_end(&mut out).is_err() {
            failures += 1;
        }
        assert!(failures > 3 && file.to.get_ref().got == want, "{failures}");
    }
}
