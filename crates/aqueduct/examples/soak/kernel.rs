//! Parcels that the kernel moves: files, sockets, sealed memory, io_uring where there is one.

use crate::parcel::{Maker, Parcel};
use aqueduct::os::{
    MappedFile, SharedMemory, relay, send_file,
    uring::{Registered, Ring},
    write_all_vectored,
};
use aqueduct_testkit::Random;
use std::{
    env,
    error::Error,
    fs::{self, File},
    io::{ErrorKind, Read, Write},
    net::Shutdown,
    os::unix::{fs::FileExt, net::UnixStream},
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What a socket takes at once, on one thread, without waiting.
const MOST: usize = 32 << 10;
const FILE: usize = 256 << 10;

/// What one thread has of the kernel's.
pub struct Kernel {
    file: Arc<File>,
    uring: Option<(Ring, Option<Registered>)>,
}

impl Kernel {
    /// A file without a name, and a ring.
    pub fn new(maker: &Maker) -> Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Relaxed);
        let path = env::temp_dir().join(format!("aqueduct-soak-{}-{number}", process::id()));
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        fs::remove_file(path)?;
        let mut bytes = vec![0; FILE];
        maker.ledger.fill(&mut bytes, 0);
        file.write_all_at(&bytes, 0)?;
        let uring = match Ring::new(16) {
            Err(refused) if refused.kind() == ErrorKind::Unsupported => None,
            ring => {
                let ring = ring?;
                // A user may lock only so much memory, all threads together.
                let registered = ring.register(&maker.pools[0], 4, 16 << 10).ok();
                Some((ring, registered))
            }
        };
        Ok(Self { file: Arc::new(file), uring })
    }

    /// Moves something, in one of the ways that there are.
    pub fn step(&self, maker: &Maker, parcel: &Parcel, random: &mut Random) -> Result<Parcel> {
        let ledger = &maker.ledger;
        ledger.moved.fetch_add(1, Relaxed);
        let (from, len) = (random.below(FILE - MOST), 1 + random.below(MOST - 1));
        let way = random.below(if self.uring.is_some() { 8 } else { 5 });
        if way == 0 {
            let mut bytes = vec![0; len];
            ledger.fill(&mut bytes, from);
            let mut memory = SharedMemory::new()?;
            memory.write_all(&bytes)?;
            return Ok(Parcel::new(ledger, memory.seal()?, from));
        }
        if way > 4 {
            return self.by_uring(maker, from, len, way == 7);
        }
        let (near, far) = UnixStream::pair()?;
        if way == 1 && parcel.bytes().len() <= MOST {
            write_all_vectored(parcel.bytes().as_ref()).run(&near)?;
            return receive(&far, maker, parcel.bytes().len(), parcel.start());
        }
        if way == 2 {
            let map = MappedFile::map_range(&self.file, 4096..)?;
            map.write_all_to(&near, from..from + len.min(map.len() - from))?;
            return receive(&far, maker, len.min(map.len() - from), from + 4096);
        }
        send_file(from as u64, len as u64).run(&self.file, &near)?;
        if way == 3 {
            return receive(&far, maker, len, from);
        }
        near.shutdown(Shutdown::Write)?;
        let (inside, outside) = UnixStream::pair()?;
        relay().run(&far, &inside)?;
        receive(&outside, maker, len, from)
    }

    /// Into a block; or started, and given up.
    fn by_uring(&self, maker: &Maker, from: usize, len: usize, drops: bool) -> Result<Parcel> {
        let (ring, registered) = self.uring.as_ref().ok_or("a step without a ring")?;
        maker.ledger.by_uring.fetch_add(1, Relaxed);
        let read = || ring.read_at(&self.file, from as u64, len, maker.pools[1].get(len));
        if drops {
            drop(read());
        }
        match registered {
            Some(registered) if len.is_multiple_of(2) => {
                let block = registered.read_at(&self.file, from as u64, len).wait()?;
                Ok(Parcel::new(&maker.ledger, block, from))
            }
            _ => {
                let (result, block) = read().wait();
                if result? != len {
                    return Err(format!("io_uring read {} bytes of {len}", block.len()).into());
                }
                Ok(Parcel::new(&maker.ledger, block.freeze(), from))
            }
        }
    }
}

fn receive(mut from: &UnixStream, maker: &Maker, len: usize, start: usize) -> Result<Parcel> {
    let mut block = maker.pools[1].get(len);
    from.read_exact(&mut block.spare_mut()[..len])?;
    block.commit(len);
    Ok(Parcel::new(&maker.ledger, block.freeze(), start))
}
