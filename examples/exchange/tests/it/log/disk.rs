//! A disk in memory that does what disks do: it forgets what was not synced, in any order and by sectors,
//! writes less than it is asked to, is full, and fails.

use aqueduct_testkit::Random;
use exchange::log::{Medium, Storage};
use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    sync::{Arc, Mutex, MutexGuard},
};

/// What is kept or lost as a whole.
const SECTOR: usize = 512;

type Names = BTreeMap<String, usize>;

/// A handle to the disk; a clone is the same disk.
#[derive(Clone)]
pub struct Disk(Arc<Mutex<State>>);

struct State {
    files: Vec<Contents>,
    /// As they are seen; then as they were after each change since the last sync, the synced ones first.
    names: Names,
    history: Vec<Names>,
    random: Random,
    /// One call in so many fails; none if zero.
    failing: usize,
    /// Bytes that fit on it.
    room: usize,
}

#[derive(Default)]
struct Contents {
    seen: Vec<u8>,
    synced: Vec<u8>,
    /// What was done since.
    since: Vec<Change>,
}

enum Change {
    Write(usize, Vec<u8>),
    Size(usize),
}

impl Contents {
    fn change(&mut self, change: Change) {
        apply(&mut self.seen, &change, &mut |_| true);
        self.since.push(change);
    }

    /// Keeps some of what was not synced.
    fn settle(&mut self, keep: &mut impl FnMut() -> bool) {
        for change in std::mem::take(&mut self.since) {
            apply(&mut self.synced, &change, &mut |_| keep());
        }
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change, keep: &mut impl FnMut(usize) -> bool) {
    match change {
        Change::Size(size) => {
            if keep(0) {
                bytes.resize(*size, 0);
            }
        }
        Change::Write(at, written) => {
            let (mut at, mut rest) = (*at, &written[..]);
            while !rest.is_empty() {
                let (part, behind) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
                if keep(at) {
                    bytes.resize(bytes.len().max(at + part.len()), 0);
                    bytes[at..at + part.len()].copy_from_slice(part);
                }
                (at, rest) = (at + part.len(), behind);
            }
        }
    }
}

impl Disk {
    pub fn new(seed: u64) -> Self {
        let state = State {
            files: Vec::new(),
            names: Names::new(),
            history: vec![Names::new()],
            random: Random::new(seed),
            failing: 0,
            room: usize::MAX,
        };
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// From now on one call in so many fails, or does less than it is asked to; none if zero.
    pub fn failing(&self, one_in: usize) {
        self.state().failing = one_in;
    }

    /// So many bytes more than there are now fit on it.
    pub fn room(&self, more: usize) {
        let mut state = self.state();
        state.room = state.used().saturating_add(more);
    }

    /// The machine stops: what was not synced is there or not.
    pub fn power_cut(&self) {
        let mut state = self.state();
        let State { files, names, history, random, .. } = &mut *state;
        let mut kept = [0, 1, 2, 9][random.below(4)];
        for file in files {
            file.settle(&mut || random.below(10) < kept);
            file.seen = file.synced.clone();
            kept = [0, 5, 9, 10][random.below(4)];
        }
        let until = random.below(history.len());
        *names = history[until].clone();
        *history = vec![names.clone()];
    }

    /// The names on it.
    pub fn list(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }

    /// Changes the bytes of a file, behind everybody's back.
    pub fn edit<R>(&self, name: &str, edit: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let mut state = self.state();
        let file = state.names[name];
        edit(&mut state.files[file].seen)
    }

    /// Takes a file away.
    pub fn lose(&self, name: &str) {
        self.state().names.remove(name);
    }

    /// A file of these bytes.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        self.create(name).unwrap();
        self.edit(name, |file| *file = bytes.to_vec());
    }
}

impl State {
    fn used(&self) -> usize {
        self.names.values().map(|file| self.files[*file].seen.len()).sum()
    }

    fn fails(&mut self) -> bool {
        self.failing > 0 && self.random.one_in(self.failing)
    }

    fn may_fail(&mut self) -> io::Result<()> {
        if self.fails() { Err(io::Error::other("a fault")) } else { Ok(()) }
    }

    fn renamed(&mut self) {
        self.history.push(self.names.clone());
    }

    fn find(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or(ErrorKind::NotFound.into())
    }
}

impl Storage for Disk {
    type File = Open;

    fn names(&self) -> io::Result<Vec<String>> {
        self.state().may_fail()?;
        Ok(self.list())
    }

    fn open(&self, name: &str) -> io::Result<Open> {
        let mut state = self.state();
        state.may_fail()?;
        Ok(Open { disk: self.clone(), file: state.find(name)? })
    }

    fn create(&self, name: &str) -> io::Result<Open> {
        let mut state = self.state();
        state.may_fail()?;
        let file = match state.find(name) {
            Ok(file) => {
                state.files[file].change(Change::Size(0));
                file
            }
            Err(_) => {
                let file = state.files.len();
                state.files.push(Contents::default());
                state.names.insert(name.to_owned(), file);
                state.renamed();
                file
            }
        };
        Ok(Open { disk: self.clone(), file })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.may_fail()?;
        let file = state.find(from)?;
        state.names.remove(from);
        state.names.insert(to.to_owned(), file);
        state.renamed();
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.may_fail()?;
        state.find(name)?;
        state.names.remove(name);
        state.renamed();
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        state.may_fail()?;
        state.history = vec![state.names.clone()];
        Ok(())
    }
}

pub struct Open {
    disk: Disk,
    file: usize,
}

impl Open {
    fn with<R>(&self, f: impl FnOnce(&mut State, usize) -> io::Result<R>) -> io::Result<R> {
        f(&mut self.disk.state(), self.file)
    }
}

impl Medium for Open {
    fn size(&self) -> io::Result<u64> {
        self.with(|state, file| {
            state.may_fail()?;
            Ok(state.files[file].seen.len() as u64)
        })
    }

    fn read_at(&self, room: &mut [u8], offset: u64) -> io::Result<usize> {
        self.with(|state, file| {
            if state.fails() {
                return Err(ErrorKind::Interrupted.into());
            }
            state.may_fail()?;
            let short = state.fails();
            let seen = &state.files[file].seen;
            let from = seen.get(usize::try_from(offset).unwrap()..).unwrap_or(&[]);
            let mut count = from.len().min(room.len());
            if short && count > 1 {
                count = 1 + state.random.below(count);
            }
            room[..count].copy_from_slice(
                &state.files[file].seen[usize::try_from(offset).unwrap()..][..count],
            );
            Ok(count)
        })
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.with(|state, file| {
            let at = usize::try_from(offset).unwrap();
            if state.fails() {
                return Err(ErrorKind::Interrupted.into());
            }
            let more = (at + bytes.len()).saturating_sub(state.files[file].seen.len());
            let (full, torn, short) =
                (state.used() + more > state.room, state.fails(), state.fails());
            let count = if full || torn || short {
                state.random.below(bytes.len() + usize::from(short))
            } else {
                bytes.len()
            };
            let grows = (at + count).saturating_sub(state.files[file].seen.len());
            let count = if state.used() + grows > state.room { 0 } else { count };
            state.files[file].change(Change::Write(at, bytes[..count].to_vec()));
            match (torn, count) {
                (true, _) => Err(io::Error::other("a fault in a write")),
                (false, 0) if full => Err(ErrorKind::StorageFull.into()),
                (false, 0) => Err(ErrorKind::Interrupted.into()),
                _ => Ok(count),
            }
        })
    }

    fn set_size(&mut self, size: u64) -> io::Result<()> {
        self.with(|state, file| {
            state.may_fail()?;
            state.files[file].change(Change::Size(usize::try_from(size).unwrap()));
            Ok(())
        })
    }

    /// One that fails may have kept anything, and forgets that there was more.
    fn sync(&mut self) -> io::Result<()> {
        self.with(|state, file| {
            let fails = state.fails();
            let State { files, random, .. } = state;
            let file = &mut files[file];
            if fails {
                file.settle(&mut || random.one_in(2));
                return Err(io::Error::other("a fault in a sync"));
            }
            file.settle(&mut || true);
            Ok(())
        })
    }
}
