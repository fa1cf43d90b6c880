//! `replay`: a folder of orders and balances in, a folder of what came of them out.

use crate::{
    Error, Exchange, Listener, Log, Mode, Order, Refusal, Side, Source, flow,
    log::{Encoding, Folder, Fsync, Keeper, Options, Recovery},
    settle::{Tally, Trade},
};
use std::{
    fmt,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

/// Resting orders that are expected at most; more take memory while it runs.
pub(crate) const ORDERS: usize = 1 << 18;

/// What is said at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Trades, and orders placed and refused.
    pub tally: Tally,
    /// Orders that rest.
    pub resting: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Tally { trades, accepted, rejected }, resting) = (self.tally, self.resting);
        write!(f, "trades={trades} accepted={accepted} rejected={rejected} resting={resting}")
    }
}

/// Runs the orders of one folder, of whose users each may have `most` that rest, and writes four files into another: `order_events.csv`, `ledger.csv`,
/// `orderbook.csv`, `balances.csv`. With a log, the orders that it has already are taken from there: what
/// was interrupted ends with the same files.
///
/// # Errors
///
/// [`Error::Io`] and [`Error::Row`] of a file, [`Error::Balances`]; [`Error::Log`], and [`Error::OtherFlow`] where
/// the log's orders are others. What was done before is written.
pub fn replay(
    (folder, most): (&Path, u32),
    mode: Mode,
    threads: bool,
    out: &Path,
    log: Option<(&Path, Fsync)>,
) -> Result<Summary, Error> {
    let accounts = flow::accounts(folder)?.with_most_resting(most);
    let mut orders = flow::Orders::open(folder)?;
    fs::create_dir_all(out).map_err(|error| Error::io(&out.display().to_string(), error))?;
    let files = Files { events: Table::events(out)?, ledger: Table::ledger(out)? };
    let mut exchange = Exchange::new(accounts, &[flow::MARKET], ORDERS, (files, (), ()));
    let keeper = log.map(|(path, fsync)| {
        let options = Options { fsync, encoding: Encoding::of(mode), ..Options::default() };
        catch_up(&mut exchange, &mut orders, path, options)
    });
    let (mut exchange, ()) = exchange.with_log(keeper.transpose()?);
    let ran = exchange.run(&mut orders, mode, threads);
    let (files, ..) = exchange.parts();
    files.events.finish()?;
    files.ledger.finish()?;
    let (exchange, keeper) = exchange.with_log(());
    keeper.map_or(Ok(()), |Whole(keeper)| keeper.close())?;
    ran?;
    let resting = book(&exchange, out)?;
    balances(&exchange, out)?;
    Ok(Summary { tally: exchange.settlement().tally(), resting })
}

/// Takes on the orders that the log has, in place of those of the flow.
fn catch_up(
    exchange: &mut Exchange<Files>,
    flow: &mut impl Source,
    path: &Path,
    options: Options,
) -> Result<Whole, Error> {
    let folder = Folder::open(path);
    let folder = folder.map_err(|error| Error::io(&path.display().to_string(), error))?;
    let mut recovery = Recovery::whole(folder)?.of(exchange.origin());
    let mut next = Order::default();
    while let Some(order) = exchange.take(&mut recovery)? {
        let there = flow.next(&mut next)?;
        let Order { seq, at, locked, .. } = order;
        if !there || order != (Order { seq, at, locked, ..next }) {
            return Err(Error::OtherFlow { seq });
        }
    }
    Ok(Whole(Keeper::new(recovery.log(options)?)))
}

/// Takes no order any more when one was refused: what is in the log begins a flow, and has no gap.
struct Whole(Keeper<Folder>);

impl Log for Whole {
    #[inline]
    fn record(&mut self, order: &Order) {
        self.0.record(order);
    }

    #[inline]
    fn rest(&mut self, idle: bool) -> bool {
        self.0.error().is_none() && self.0.rest(idle)
    }
}

/// A file that is written row by row. What goes wrong is kept until its end.
struct Table {
    name: String,
    file: BufWriter<File>,
    written: io::Result<()>,
}

impl Table {
    fn create(out: &Path, name: &str, head: &str) -> Result<Self, Error> {
        let path = out.join(name);
        let name = path.display().to_string();
        let file = File::create(path).map_err(|error| Error::io(&name, error))?;
        let mut table =
            Self { name, file: BufWriter::with_capacity(1 << 16, file), written: Ok(()) };
        table.row(format_args!("{head}"));
        Ok(table)
    }

    fn events(out: &Path) -> Result<Self, Error> {
        const HEAD: &str =
            "event_type,order_id,user_id,seq_id,filled_qty,remaining_qty,price,reason";
        Self::create(out, "order_events.csv", HEAD)
    }

    fn ledger(out: &Path) -> Result<Self, Error> {
        Self::create(out, "ledger.csv", "trade_id,user_id,asset_id,op,delta,balance_after")
    }

    fn row(&mut self, row: fmt::Arguments<'_>) {
        if self.written.is_ok() {
            self.written = writeln!(self.file, "{row}");
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        let written = std::mem::replace(&mut self.written, Ok(()));
        written.and_then(|()| self.file.flush()).map_err(|error| Error::io(&self.name, error))
    }
}

struct Files {
    events: Table,
    ledger: Table,
}

impl Listener for Files {
    fn accepted(&mut self, order: &Order, number: u64) {
        self.events.row(format_args!("accepted,{},{},{number},,,,", order.id, order.user));
    }

    fn traded(&mut self, trade: &Trade) {
        let &Trade { number, assets: [base, quote], users: [buyer, seller], .. } = trade;
        let whose = [
            (buyer, quote, "debit"),
            (buyer, base, "credit"),
            (seller, base, "debit"),
            (seller, quote, "credit"),
        ];
        for ((user, asset, what), (delta, after)) in
            whose.into_iter().zip(trade.deltas.into_iter().zip(trade.balances))
        {
            let asset = asset + 1;
            self.ledger.row(format_args!("{number},{user},{asset},{what},{delta},{after}"));
        }
    }

    fn filled(&mut self, order: &Order, qty: u64, price: u64) {
        let Order { id, user, qty: wanted, .. } = order;
        if qty == *wanted {
            self.events.row(format_args!("filled,{id},{user},,{qty},,{price},"));
        } else {
            let left = wanted.saturating_sub(qty);
            self.events.row(format_args!("partial_filled,{id},{user},,{qty},{left},,"));
        }
    }

    fn refused(&mut self, order: &Order, why: Refusal) {
        if order.action == crate::Action::Place {
            self.events.row(format_args!("rejected,{},{},,,,,{why}", order.id, order.user));
        }
    }
}

/// Writes the book: how many orders rest.
fn book<L: Listener + Send>(exchange: &Exchange<L>, out: &Path) -> Result<usize, Error> {
    const HEAD: &str = "order_id,user_id,side,order_type,price,qty,filled_qty,status";
    let mut table = Table::create(out, "orderbook.csv", HEAD)?;
    let Some(book) = exchange.matcher().book(0) else { return Ok(0) };
    for (side, name) in [(Side::Buy, "buy"), (Side::Sell, "sell")] {
        for order in book.side(side) {
            let (id, user, price, qty) = (order.id, order.user, order.price, order.qty);
            let filled = qty - order.left;
            let status = if order.partly { "PARTIALLY_FILLED" } else { "NEW" };
            table.row(format_args!("{id},{user},{name},limit,{price},{qty},{filled},{status}"));
        }
    }
    table.finish()?;
    Ok(book.len())
}

fn balances<L: Listener + Send>(exchange: &Exchange<L>, out: &Path) -> Result<(), Error> {
    let mut table = Table::create(out, "balances.csv", "user_id,asset_id,avail,frozen,version")?;
    for (user, asset, balance, active) in exchange.settlement().balances() {
        if active {
            let (avail, frozen, version) = (balance.avail, balance.frozen, balance.version);
            let asset = asset + 1;
            table.row(format_args!("{user},{asset},{avail},{frozen},{version}"));
        }
    }
    table.finish()
}
