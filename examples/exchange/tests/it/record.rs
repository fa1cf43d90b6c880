//! All that an exchange says of a flow, as text that can be compared.

use exchange::{
    Accounts, Error, Exchange, Listener, Log, Market, Mode, Order, Refusal, Side, Source, Trade,
};

/// Every mode, on one thread and on four.
pub(crate) const WAYS: [(Mode, bool); 4] = [
    (Mode::ZeroCopy, false),
    (Mode::ZeroCopy, true),
    (Mode::Copying, false),
    (Mode::Copying, true),
];

/// What happened, a line each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record(pub(crate) Vec<String>);

impl Listener for Record {
    fn accepted(&mut self, order: &Order, number: u64) {
        self.0.push(format!("accepted {} {number}", order.id));
    }

    fn traded(&mut self, trade: &Trade) {
        let Trade { number, assets, users, deltas, balances, .. } = trade;
        self.0.push(format!("trade {number} {assets:?} {users:?} {deltas:?} {balances:?}"));
    }

    fn filled(&mut self, order: &Order, qty: u64, price: u64) {
        self.0.push(format!("filled {} {qty} at {price}", order.id));
    }

    fn refused(&mut self, order: &Order, why: Refusal) {
        self.0.push(format!("refused {:?} {}: {why}", order.action, order.id));
    }
}

/// Orders that are there.
pub(crate) struct List<'a>(pub(crate) std::slice::Iter<'a, Order>);

impl Source for List<'_> {
    fn next(&mut self, order: &mut Order) -> Result<bool, Error> {
        let next = self.0.next();
        *order = next.copied().unwrap_or_default();
        Ok(next.is_some())
    }
}

/// All orders of a source.
pub(crate) fn all(mut source: impl Source) -> Vec<Order> {
    let mut orders = Vec::new();
    let mut order = Order::default();
    while source.next(&mut order).expect("made up") {
        orders.push(order);
    }
    orders
}

pub(crate) fn resting(
    id: u64,
    user: u64,
    side: Side,
    price: u64,
    left: u64,
    partly: bool,
) -> String {
    format!("rests {id} {user} {side:?} {price} {left} {partly}")
}

pub(crate) fn balance(user: u64, asset: usize, avail: u64, frozen: u64) -> String {
    format!("has {user} {asset} {avail} {frozen}")
}

/// What happened, what rests, and who has what in the end.
pub(crate) fn run(
    accounts: Accounts,
    markets: &[Market],
    orders: &[Order],
    (mode, threads): (Mode, bool),
) -> Vec<String> {
    let mut exchange = Exchange::new(accounts, markets, 16, (Record::default(), (), ()));
    exchange.run(&mut List(orders.iter()), mode, threads).expect("no file");
    said(&mut exchange)
}

/// The same of an exchange that is there.
pub(crate) fn said<G: Log>(exchange: &mut Exchange<Record, G>) -> Vec<String> {
    let mut lines = std::mem::take(&mut exchange.parts().0.0);
    for book in (0..).map_while(|symbol| exchange.matcher().book(symbol)) {
        for order in [Side::Buy, Side::Sell].into_iter().flat_map(|side| book.side(side)) {
            let (id, user, side) = (order.id, order.user, order.side);
            lines.push(resting(id, user, side, order.price, order.left, order.partly));
        }
    }
    let settlement = exchange.settlement();
    let balances = settlement.balances();
    lines.extend(balances.map(|(user, asset, b, _)| balance(user, asset, b.avail, b.frozen)));
    lines.push(format!("fees {:?}", settlement.fees()));
    lines
}
