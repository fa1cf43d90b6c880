//! What is decided about the bytes of a view.

use crate::{Reader, gate::NONE};
use aqueduct_base::sync::{atomic::Ordering::Release, twin};
use aqueduct_sequence::Sequence;

impl Reader {
    #[inline(always)]
    pub(crate) fn raise(&mut self, examined: u64) {
        let by = examined.saturating_sub(self.raised);
        self.raised += by;
        self.shared.examined.raise(by, NONE, &mut self.raiser);
    }

    #[inline(always)]
    fn forget(&mut self, count: usize) {
        self.consumed += count as u64;
        // Release: who finds all consumed may rely on it.
        self.shared.consumed().store(self.consumed, Release);
    }

    #[inline(always)]
    pub(crate) fn take(&mut self, count: usize) -> Sequence {
        let told = self.tell_of(count, |reader| {
            reader.examined = reader.examined.max(reader.consumed);
            reader.raise(reader.consumed);
        });
        let taken = told.reader.intake.list_mut().take(count);
        told.reader.intake.shed();
        drop(told); // here: if it panicked behind the return, what is taken would leak
        taken
    }

    #[inline(always)]
    pub(crate) fn consume(&mut self, count: usize) {
        if count == 0 {
            self.examined = self.consumed;
        } else {
            let late = twin::is("consumed_late");
            if late {
                self.raise(self.consumed + count as u64);
            }
            self.consume_and(count, |reader| {
                reader.examined = reader.consumed;
                if !late {
                    reader.raise(reader.consumed);
                }
            });
        }
    }

    #[inline(always)]
    pub(crate) fn need_more(&mut self, consumed: usize) {
        if consumed > 0 {
            self.consume_and(consumed, |reader| {
                reader.examined = reader.intake.flushed;
                reader.raise(reader.examined);
            });
            return;
        }
        self.examined = self.intake.flushed;
        if self.examined > self.raised {
            self.raise(self.examined);
        }
    }

    /// Lets go of bytes, enters that in the books, and then tells the writer; even if an owner of bytes
    /// panics.
    #[inline(always)]
    fn consume_and(&mut self, count: usize, tell: impl Fn(&mut Self)) {
        let told = self.tell_of(count, tell);
        told.reader.intake.list_mut().consume(count);
        told.reader.intake.shed();
    }

    #[inline(always)]
    fn tell_of<F: Fn(&mut Self)>(&mut self, count: usize, tell: F) -> Told<'_, F> {
        let len = self.intake.list().len();
        assert!(count <= len, "cannot consume {count} of {len} bytes");
        Told { reader: self, count, tell }
    }
}

/// Bytes that are being let go of, or taken. When it is dropped, the books say so, and the writer is told.
struct Told<'a, F: Fn(&mut Reader)> {
    reader: &'a mut Reader,
    count: usize,
    tell: F,
}

impl<F: Fn(&mut Reader)> Drop for Told<'_, F> {
    #[inline(always)]
    fn drop(&mut self) {
        self.reader.forget(self.count);
        (self.tell)(self.reader);
    }
}
