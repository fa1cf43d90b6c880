//! Orders through the exchange, with a log in a real file.

use std::error::Error;
use std::fs;

use ::exchange::flow::{MARKET, Orders};
use ::exchange::log::{Folder as LogFolder, Keeper, Options, Recovery};
use ::exchange::{Accounts, Exchange, Mode, Opening, Order};
use aqueduct::meter;

use super::Ran;
use crate::folder::Folder;

/// Prices of the orders: so few that none comes or goes. The numbers of prices that are kept in order are
/// moved for a new one, which is no copy of an order.
const PRICES: u64 = 8;
/// Orders that rest throughout.
const RESTING: u64 = 2 * PRICES;

/// Orders out of a file that rest, trade and are cancelled: decoded, checked, logged, matched and settled.
///
/// The copying mode would be no control for the witness: nearly all of its copies are moves of a struct, for
/// which the compiler calls nothing.
pub(super) fn orders(operations: u64) -> Result<Ran, Box<dyn Error>> {
    let folder = Folder::new()?;
    let log = Recovery::new(LogFolder::open(folder.path().join("log"))?)?.log(Options::default())?;
    let openings = (0..2).map(|asset| Opening { user: 1, asset, avail: 1 << 60, frozen: 0 });
    let parts = ((), Keeper::new(log), ());
    let mut exchange = Exchange::new(Accounts::new(2, openings)?, &[MARKET], 1 << 10, parts);
    let mut run = |rows: u64, row: fn(&mut Vec<u8>, u64)| -> Result<(), Box<dyn Error>> {
        let mut text = Vec::with_capacity(64 + usize::try_from(rows)? * 48);
        put(&mut text, "order_id,user_id,action,side,price,qty\n");
        (1..=rows).for_each(|number| row(&mut text, number));
        fs::write(folder.path().join("orders.csv"), text)?;
        Ok(exchange.run(&mut Orders::open(folder.path())?, Mode::ZeroCopy, false)?)
    };
    run(RESTING, resting)?;
    let before = meter::thread();
    run(operations, row)?;
    let copied = (meter::thread() - before).bytes;
    if exchange.orders() != operations + RESTING {
        return Err("orders were not logged".into());
    }
    let payload = operations * size_of::<Order>() as u64;
    Ok(Ran { operations, payload, copied })
}

/// One at each price of each side.
fn resting(text: &mut Vec<u8>, number: u64) {
    let buys = number <= PRICES;
    digits(text, number);
    put(text, if buys { ",1,place,buy," } else { ",1,place,sell," });
    digits(text, if buys { 100 } else { 200 } + number);
    put(text, ",1000.0\n");
}

/// In turns: one that rests, one that trades, and the cancel of the first.
fn row(text: &mut Vec<u8>, number: u64) {
    let id = 1_000 + number;
    if number.is_multiple_of(3) {
        digits(text, id - 2);
        return put(text, ",1,cancel,,,\n");
    }
    let rests = number % 3 == 1;
    digits(text, id);
    put(text, if rests { ",1,place,buy," } else { ",1,place,sell," });
    digits(text, 101 + number / 3 % PRICES);
    put(text, if rests { ",0.3\n" } else { ",0.1\n" });
}

/// Byte by byte, which no witness takes for a copy.
fn put(text: &mut Vec<u8>, part: &str) {
    part.bytes().for_each(|byte| text.push(byte));
}

fn digits(text: &mut Vec<u8>, number: u64) {
    (0..8)
        .rev()
        .for_each(|place| text.push(b'0' + (number / 10u64.pow(place) % 10).to_le_bytes()[0]));
}
