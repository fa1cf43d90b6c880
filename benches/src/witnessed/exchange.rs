//! Orders through the exchange, with a log in a real file.

use std::error::Error;
use std::path::Path;

use ::exchange::flow::{MARKET, Orders};
use ::exchange::log::{Encoding, Folder as LogFolder, Fsync, Keeper, Options, Recovery};
use ::exchange::{Accounts, Exchange, Mode, Opening, Order};
use aqueduct::meter;

use super::Ran;
use crate::folder::Folder;

/// Prices of the orders: so few that none comes or goes. The numbers of prices that are kept in order are
/// moved for a new one, which is no copy of an order.
const PRICES: u64 = 8;
/// Orders that rest throughout.
const RESTING: u64 = 2 * PRICES;

/// Orders out of a file that rest, trade and are cancelled, decoded, checked, logged, matched and settled.
pub(super) fn orders(mode: Mode, operations: u64) -> Result<Ran, Box<dyn Error>> {
    let folder = Folder::new()?;
    let options =
        Options { encoding: Encoding::of(mode), fsync: Fsync::GROUP, ..Options::default() };
    let log = Recovery::new(LogFolder::open(folder.path().join("log"))?)?.log(options)?;
    let openings = (0..2).map(|asset| Opening { user: 1, asset, avail: 1 << 60, frozen: 0 });
    let parts = ((), Keeper::new(log), ());
    let mut exchange = Exchange::new(Accounts::new(2, openings)?, &[MARKET], 1 << 10, parts);
    let head = "order_id,user_id,action,side,price,qty\n";
    let first: String = (1..=RESTING).map(resting).collect();
    let first = format!("{head}{first}");
    let text: String = (1..=operations).map(row).collect();
    let text = format!("{head}{text}");
    exchange.run(&mut Orders::new(first.as_bytes(), Path::new("first"))?, mode, false)?;
    let mut flow = Orders::new(text.as_bytes(), Path::new("orders"))?;
    let before = meter::process();
    exchange.run(&mut flow, mode, false)?;
    let copied = (meter::process() - before).bytes;
    if exchange.orders() != operations + RESTING {
        return Err("orders were not logged".into());
    }
    let payload = operations * size_of::<Order>() as u64;
    Ok(Ran { operations, payload, copied })
}

/// One at each price of each side.
fn resting(number: u64) -> String {
    let (side, price) =
        if number <= PRICES { ("buy", 100 + number) } else { ("sell", 200 + number) };
    format!("{number:012},1,place,{side},{price},1000.0\n")
}

/// In turns: one that rests, one that trades with it or with what was there before, and the cancel of the
/// first.
fn row(number: u64) -> String {
    let id = 1_000 + number;
    let price = 101 + number / 3 % PRICES;
    match number % 3 {
        1 => format!("{id:012},1,place,buy,{price},0.3\n"),
        2 => format!("{id:012},1,place,sell,{price},0.1\n"),
        _ => format!("{:012},1,cancel,,,\n", id - 2),
    }
}
