//! Orders and opening balances from files, in the form of `golden/exchange`.

use crate::{
    Accounts, Action, Error, Kind, Market, Order, Side, Source, TimeInForce,
    accounts::Opening,
    csv::{Row, Rows, fixed, integer},
};
use flate2::read::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressFinish};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

/// The market of the files: asset 1 for asset 2, without fees.
pub const MARKET: Market =
    Market { base: 0, quote: 1, unit: 10u64.pow(QTY_DIGITS), maker_fee: 0, taker_fee: 0 };
/// How many assets there are. In files they have numbers from 1 on.
pub(crate) const ASSETS: usize = 2;
/// Digits behind the point of a price, and of a quantity.
const PRICE_DIGITS: u32 = 2;
const QTY_DIGITS: u32 = 8;
/// The first rows that a file of orders may have.
const HEADS: [&str; 2] =
    ["order_id,user_id,side,price,qty", "order_id,user_id,action,side,price,qty"];

/// The orders of a file.
#[derive(Debug)]
pub struct Orders<R> {
    rows: Rows<R>,
    actions: bool,
}

impl Orders<Box<dyn Read>> {
    /// Those of `orders.csv` in a folder, or of `orders.csv.gz`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], and [`Error::Row`] when its first row is not a known head.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let (file, path) = file(folder)?;
        Self::new(file, &path)
    }
}

impl<R: Read> Orders<R> {
    /// Those that `file` holds; `path` is its name in errors.
    ///
    /// # Errors
    ///
    /// As [`open`](Orders::open).
    pub fn new(file: R, path: &Path) -> Result<Self, Error> {
        let mut rows = Rows::new(file, path.display().to_string());
        let heads = HEADS.map(str::as_bytes);
        let actions = head(&mut rows, &heads, "order_id,user_id,[action,]side,price,qty")?;
        Ok(Self { rows, actions: actions == 1 })
    }
}

impl<R: Read> Source for Orders<R> {
    #[inline]
    fn next(&mut self, order: &mut Order) -> Result<bool, Error> {
        let Some(mut row) = self.rows.next()? else { return Ok(false) };
        (order.symbol, order.kind, order.tif) = (0, Kind::Limit, TimeInForce::Gtc);
        order.id = row.field("an order id", integer)?;
        order.user = row.field("a user id", integer)?;
        order.action = if self.actions {
            row.field("place, cancel, reduce or move", action)?
        } else {
            Action::Place
        };
        let (priced, sized) = match order.action {
            Action::Place => (true, true),
            Action::Cancel => (false, false),
            Action::Reduce => (false, true),
            Action::Move => (true, false),
        };
        // What an action has no use for may stand there, or not.
        order.side = row.field("buy or sell", |text| side(text, order.action != Action::Place))?;
        order.price = row.field("a price", |text| number(text, PRICE_DIGITS, priced))?;
        order.qty = row.field("a quantity", |text| number(text, QTY_DIGITS, sized))?;
        row.end()?;
        Ok(true)
    }
}

/// The text of a file of these orders; it does not say which of them are market orders, or IOC.
///
/// # Errors
///
/// The source's.
pub fn rows(mut orders: impl Source) -> Result<String, Error> {
    let (mut text, mut order) = (HEADS[1].to_owned(), Order::default());
    while orders.next(&mut order)? {
        let Order { id, user, price, qty, .. } = order;
        let action = match order.action {
            Action::Place => "place",
            Action::Cancel => "cancel",
            Action::Reduce => "reduce",
            Action::Move => "move",
        };
        let side = if order.side == Side::Buy { "buy" } else { "sell" };
        let [price, qty] = [(price, PRICE_DIGITS), (qty, QTY_DIGITS)].map(|(number, digits)| {
            let unit = 10u64.pow(digits);
            format!("{}.{:0width$}", number / unit, number % unit, width = digits as usize)
        });
        text += &format!("\n{id},{user},{action},{side},{price},{qty}");
    }
    Ok(text)
}

/// The balances of `balances_init.csv` in a folder.
///
/// # Errors
///
/// [`Error::Io`], [`Error::Row`], and [`Error::Balances`] where they cannot be.
pub fn accounts(folder: &Path) -> Result<Accounts, Error> {
    let path = folder.join("balances_init.csv");
    let mut rows = Rows::new(open(&path)?, path.display().to_string());
    const HEAD: &str = "user_id,asset_id,avail,frozen,version";
    head(&mut rows, &[HEAD.as_bytes()], HEAD)?;
    let mut openings = Vec::new();
    while let Some(mut row) = rows.next()? {
        openings.push(opening(&mut row)?);
    }
    Accounts::new(ASSETS, openings)
}

fn opening(row: &mut Row<'_>) -> Result<Opening, Error> {
    let user = row.field("a user id", integer)?;
    let asset = row.field("asset 1 or 2", |text| match text {
        b"1" => Some(0),
        b"2" => Some(1),
        _ => None,
    })?;
    let avail = row.field("a whole number", integer)?;
    let frozen = row.field("a whole number", integer)?;
    row.field("a whole number", integer)?;
    row.end()?;
    Ok(Opening { user, asset, avail, frozen })
}

/// The text of the orders in a folder.
pub(crate) fn text(folder: &Path) -> Result<Vec<u8>, Error> {
    let ((mut file, path), mut text) = (file(folder)?, Vec::new());
    file.read_to_end(&mut text).map_err(|error| Error::io(&path.display().to_string(), error))?;
    Ok(text)
}

/// Where orders are read from, and its name. A terminal sees how far it is.
fn file(folder: &Path) -> Result<(Box<dyn Read>, PathBuf), Error> {
    let (plain, packed) = (folder.join("orders.csv"), folder.join("orders.csv.gz"));
    let is_packed = !plain.exists() && packed.exists();
    let path = if is_packed { packed } else { plain };
    let file = open(&path)?;
    let bar = ProgressBar::new(file.metadata().map_or(0, |metadata| metadata.len()));
    let file = bar.with_finish(ProgressFinish::AndClear).wrap_read(file);
    Ok((if is_packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) }, path))
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|error| Error::io(&path.display().to_string(), error))
}

/// Which of the heads is a file's first row.
fn head<R: Read>(
    rows: &mut Rows<R>,
    heads: &[&[u8]],
    expected: &'static str,
) -> Result<usize, Error> {
    let Some(row) = rows.next()? else { return Err(rows.fault(expected)) };
    heads.iter().position(|head| *head == row.bytes).ok_or_else(|| row.fault(expected))
}

#[inline]
fn action(text: &[u8]) -> Option<Action> {
    match text {
        b"place" => Some(Action::Place),
        b"cancel" => Some(Action::Cancel),
        b"reduce" => Some(Action::Reduce),
        b"move" => Some(Action::Move),
        _ => None,
    }
}

#[inline]
fn side(text: &[u8], optional: bool) -> Option<Side> {
    match text {
        b"buy" => Some(Side::Buy),
        b"sell" => Some(Side::Sell),
        b"" if optional => Some(Side::Buy),
        _ => None,
    }
}

#[inline]
fn number(text: &[u8], digits: u32, needed: bool) -> Option<u64> {
    if text.is_empty() && !needed { Some(0) } else { fixed(text, digits) }
}
