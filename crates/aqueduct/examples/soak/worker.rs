//! One of the eight threads, for about a second: then another has its place.

use crate::{
    kernel::Kernel,
    ledger::Plant,
    parcel::{Maker, Parcel},
    streams::{open, put, session, visit},
};
use aqueduct::{
    Reader, Writer,
    ring::{Arena, ClaimError, Consumer, Exclusive, Handle, Many, Producer},
};
use aqueduct_testkit::Random;
use std::{
    cell::RefCell,
    fs::File,
    mem::forget,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Instant,
};

/// Parcels that a thread keeps.
const SHELF: usize = 40;
/// Halves of pipes that a thread keeps, of either kind.
const HALVES: usize = 5;

/// What goes round the rings.
#[derive(Debug)]
pub enum Message {
    Parcel(Parcel),
    Reader(Box<Reader>),
    /// A parcel that waits in the arena.
    Stored(Handle),
}

/// A place among the threads, which one hands to the next.
#[derive(Debug)]
pub struct Place {
    pub inlet: Consumer<Option<Message>, Exclusive>,
    pub outlets: [Producer<Option<Message>, Many>; 2],
    pub arena: Arc<Arena<Option<Parcel>>>,
    pub maker: Arc<Maker>,
}

thread_local! {
    /// Dropped when all else of the thread is gone.
    static LEFT: RefCell<Vec<Parcel>> = const { RefCell::new(Vec::new()) };
}

/// Works until `until`, and gives its place back.
pub fn work(place: Place, seed: u64, until: Instant) -> Place {
    let mut worker = Worker {
        place,
        random: Random::new(seed),
        shelf: Vec::new(),
        writers: Vec::new(),
        readers: Vec::new(),
    };
    let maker = Arc::clone(&worker.place.maker);
    maker.ledger.threads.fetch_add(1, Relaxed);
    let done = worker.go(&maker, until);
    if let Err(fault) = done {
        maker.ledger.fault(fault);
    }
    worker.place
}

struct Worker {
    place: Place,
    random: Random,
    shelf: Vec<Parcel>,
    writers: Vec<Writer>,
    readers: Vec<Reader>,
}

impl Worker {
    fn go(&mut self, maker: &Maker, until: Instant) -> Result<(), String> {
        let system = |e| format!("the system's calls: {e}");
        let kernel = Kernel::new(maker).map_err(system)?;
        while Instant::now() < until && !maker.ledger.over.load(Relaxed) {
            match self.random.below(20) {
                0..4 => self.shelf.extend(maker.make(&mut self.random)),
                4..6 => self.change(),
                6..10 => self.send(),
                10..13 => self.take_in(maker),
                13..16 => self.write(maker)?,
                16..19 => self.read(maker),
                _ if self.random.one_in(50) => {
                    let parcels = session(maker, &mut self.random)?;
                    self.shelf.extend(parcels);
                }
                _ => {
                    let Some(parcel) = self.shelf.pop() else { continue };
                    let moved = kernel.step(maker, &parcel, &mut self.random).map_err(system)?;
                    self.shelf.push(moved);
                    self.plant(maker);
                }
            }
            while self.shelf.len() > SHELF {
                let parcel = self.shelf.swap_remove(self.random.below(SHELF));
                self.keep_for_the_end(parcel);
            }
        }
        Ok(())
    }

    fn any(&mut self) -> Option<Parcel> {
        let len = self.shelf.len();
        (len > 0).then(|| self.shelf.swap_remove(self.random.below(len)))
    }

    /// Reads one, makes it another, or two.
    fn change(&mut self) {
        let Some(parcel) = self.any() else { return };
        parcel.check("on the way");
        if self.random.one_in(2) {
            self.shelf.push(parcel.part(&mut self.random));
            self.shelf.push(parcel);
        } else {
            self.shelf.push(parcel.turn(&mut self.random));
        }
    }

    /// Sends one to another thread, as it is or in the arena.
    fn send(&mut self) {
        let Some(parcel) = self.any() else { return };
        let message = match self.place.arena.lease() {
            Some(mut lease) if self.random.one_in(4) => {
                *lease = Some(parcel);
                Message::Stored(lease.hold())
            }
            _ => Message::Parcel(parcel),
        };
        self.post(message);
    }

    /// Without waiting: where there is no room it stays here.
    fn post(&mut self, message: Message) {
        let outlet = &mut self.place.outlets[self.random.below(2)];
        let closed = match outlet.try_claim() {
            Ok(mut claim) => {
                *claim = Some(message);
                return claim.publish();
            }
            Err(refused) => refused != ClaimError::Full,
        };
        if closed {
            self.place.maker.ledger.fault("a ring that is closed".to_owned());
        }
        self.accept(message);
    }

    /// What the others sent.
    fn take_in(&mut self, maker: &Maker) {
        let most = 1 + self.random.below(8);
        let taken: Vec<Message> = match self.place.inlet.try_take(most) {
            Ok(mut batch) => batch.iter_mut().filter_map(Option::take).collect(),
            Err(_) => Vec::new(),
        };
        for message in taken {
            self.accept(message);
        }
        if self.random.one_in(10_000) {
            maker.pools[0].trim();
        }
    }

    fn accept(&mut self, message: Message) {
        match message {
            Message::Parcel(parcel) => self.shelf.push(parcel),
            Message::Reader(reader) => {
                if self.readers.len() >= HALVES {
                    // Its writer finds out.
                    self.readers.swap_remove(self.random.below(HALVES));
                }
                self.readers.push(*reader);
            }
            Message::Stored(handle) => {
                let taken = self.place.arena.claim(handle).and_then(|mut lease| lease.take());
                let ledger = &self.place.maker.ledger;
                match taken {
                    Some(parcel) => self.shelf.push(parcel),
                    None => ledger.fault(format!("the arena lost what {handle:?} stands for")),
                }
                if self.place.arena.claim(handle).is_some() {
                    ledger.fault(format!("the arena lent {handle:?} twice"));
                }
            }
        }
    }

    /// Opens a pipe, writes to one, or ends one.
    fn write(&mut self, maker: &Maker) -> Result<(), String> {
        if self.writers.len() < HALVES && self.random.one_in(8) {
            let (writer, reader) = open(maker, &mut self.random)?;
            self.writers.push(writer);
            self.post(Message::Reader(Box::new(reader)));
        }
        let Some(parcel) = self.any() else { return Ok(()) };
        let len = self.writers.len();
        if len == 0 {
            return Ok(());
        }
        let at = self.random.below(len);
        let writer = &mut self.writers[at];
        if matches!(writer.try_flush(), Ok(None)) {
            return Ok(()); // its reader has enough
        }
        if put(writer, &parcel, &mut self.random).is_err() {
            self.writers.swap_remove(at); // its reader is gone
            return Ok(());
        }
        match self.random.below(60) {
            0 => {
                let mut writer = self.writers.swap_remove(at);
                // Refused where the reader is gone; what is finished then, nobody reads.
                let _ = writer.try_flush();
                writer.finish();
            }
            1 => drop(self.writers.swap_remove(at)),
            2 => self.writers.swap_remove(at).fail("on purpose"),
            3 => writer.rollback(),
            _ => {
                let _ = writer.try_flush(); // refused where the reader is gone: found out above
            }
        }
        Ok(())
    }

    fn read(&mut self, maker: &Maker) {
        let len = self.readers.len();
        if len == 0 {
            return;
        }
        let at = self.random.below(len);
        let goes_on = visit(&mut self.readers[at], &maker.ledger, &mut self.shelf);
        if !goes_on || self.random.one_in(500) {
            self.readers.swap_remove(at);
        }
    }

    /// Some of what is too much is freed here, and some when the thread is all but gone.
    fn keep_for_the_end(&mut self, parcel: Parcel) {
        if self.random.one_in(20) {
            LEFT.with_borrow_mut(|left| {
                left.push(parcel);
                if left.len() > SHELF {
                    left.swap_remove(0);
                }
            });
        }
    }

    /// The mistakes other than a wrong byte.
    fn plant(&mut self, maker: &Maker) {
        match maker.ledger.plant {
            Some(Plant::Block) if self.random.one_in(100) => {
                forget(maker.pools[0].get(2_000).freeze())
            }
            Some(Plant::Descriptor) if self.random.one_in(100) => forget(File::open("/dev/null")),
            Some(Plant::Memory) => forget(vec![1_u8; 64 << 10]),
            _ => {}
        }
    }
}
