//! [`Feed`]: what is the same for many is made once.

use super::{message::Message, wire::Form};
use crate::{Matcher, Side};
use aqueduct::{Options, Pool, Reader, Sequence, Writer, pipe};

/// Trades since the last look at them, in each form, and the books.
pub(super) struct Feed {
    forms: [Trades; 2],
    /// Bids and asks.
    levels: [Vec<[u64; 2]>; 2],
}

struct Trades {
    form: Form,
    is_wanted: bool,
    pipe: (Writer, Reader),
}

impl Feed {
    pub(super) fn new(pool: &Pool) -> Self {
        // Settings that make sense.
        let options = Options::builder().pool(pool).pause(0).build().unwrap_or_default();
        let trades = |form| Trades { form, is_wanted: false, pipe: pipe(options.clone()) };
        Self { forms: [Form::Frames, Form::Lines].map(trades), levels: Default::default() }
    }

    /// Somebody hears trades in this form from now on.
    pub(super) fn want(&mut self, form: Form) {
        self.forms[usize::from(form == Form::Lines)].is_wanted = true;
    }

    pub(super) fn tell(&mut self, trade: &Message<'_>) {
        for Trades { form, pipe: (writer, _), .. } in
            self.forms.iter_mut().filter(|form| form.is_wanted)
        {
            // Without memory for it, it is lost, and those since the last look, too: no half of one is left.
            if trade.write(*form, writer).is_err() {
                writer.rollback();
            }
        }
    }

    /// What was told, in each form.
    pub(super) fn take(&mut self) -> [Sequence; 2] {
        self.forms.each_mut().map(|Trades { pipe: (writer, reader), .. }| {
            if writer.unflushed() == 0 || writer.try_flush().is_err() {
                return Sequence::new();
            }
            let Ok(Some(read)) = reader.try_read() else { return Sequence::new() };
            let mut view = read.into_view();
            view.take(view.len())
        })
    }

    /// So many prices of a market's book.
    pub(super) fn depth(
        &mut self,
        books: &Matcher,
        (symbol, most): (u32, u16),
        (tag, seq): (u64, u64),
    ) -> Message<'_> {
        for (side, levels) in [Side::Buy, Side::Sell].into_iter().zip(&mut self.levels) {
            levels.clear();
            let book = books.book(symbol).into_iter();
            levels.extend(book.flat_map(|book| book.levels(side)).take(most.into()));
        }
        let [bids, asks] = &self.levels;
        Message::Depth { tag, symbol, seq, bids, asks }
    }
}
