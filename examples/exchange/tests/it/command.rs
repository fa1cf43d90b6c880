//! The program itself.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use flate2::{Compression, write::GzEncoder};

const BALANCES: &str = "user_id,asset_id,avail,frozen,version\r\n\
    1,1,500,0,0\r\n1,2,500,0,0\r\n2,1,500000000,0,0\r\n2,2,5000,0,0\r\n3,1,1,0,0\r\n";
const HEAD: &str = "order_id,user_id,action,side,price,qty\n";

pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str, orders: &str) -> Self {
        let name = format!("command-{name}-{}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).expect("made");
        fs::write(folder.join("orders.csv"), orders).expect("written");
        fs::write(folder.join("balances_init.csv"), BALANCES).expect("written");
        Self(folder)
    }

    fn replay(&self) -> Output {
        self.command().output().expect("it runs")
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_exchange"));
        command.arg("replay").arg(&self.0).arg("--out").arg(self.0.join("out"));
        command
    }

    fn written(&self, name: &str) -> String {
        fs::read_to_string(self.0.join("out").join(name)).expect("written")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn rows_of_every_action() {
    let orders = "1,2,place,sell,1.00,2\n2,1,place,buy,1.00,0.5\n3,1,place,buy,5,1\n1,1,cancel,,,\n\
        4,2,place,sell,2.00,1.00000001\n4,2,reduce,,,0.00000001\n4,2,move,,1.5,\n1,2,cancel,,,\n\
        5,9,place,buy,1,1\n1,2,cancel,,,\n6,1,place,buy,0,1\n";
    let folder = Folder::new("actions", &format!("{HEAD}{orders}"));
    let check = |folder: &Folder| {
        let out = folder.replay();
        assert!(out.status.success() && out.stderr.is_empty(), "{out:?}");
        let said = String::from_utf8(out.stdout).expect("text");
        assert_eq!(said.lines().last(), Some("trades=1 accepted=3 rejected=3 resting=1"));
        assert_eq!(
            folder.written("order_events.csv").lines().skip(1).collect::<Vec<_>>(),
            [
                "accepted,1,2,1,,,,",
                "accepted,2,1,2,,,,",
                "filled,2,1,,50000000,,100,",
                "rejected,3,1,,,,,insufficient funds",
                "accepted,4,2,3,,,,",
                "rejected,5,9,,,,,unknown user",
                "rejected,6,1,,,,,no price",
            ]
        );
        assert_eq!(
            folder.written("orderbook.csv").lines().nth(1),
            Some("4,2,sell,limit,150,100000000,0,NEW")
        );
        assert_eq!(
            folder.written("ledger.csv").lines().skip(1).collect::<Vec<_>>(),
            [
                "1,1,2,debit,50,450",
                "1,1,1,credit,50000000,50000500",
                "1,2,1,debit,50000000,450000000",
                "1,2,2,credit,50,5050",
            ]
        );
        // User 3 has no orders.
        assert_eq!(folder.written("balances.csv").lines().count(), 5);
    };
    check(&folder);

    // The same, packed.
    let plain = folder.0.join("orders.csv");
    let file = fs::File::create(folder.0.join("orders.csv.gz")).expect("made");
    let mut packed = GzEncoder::new(file, Compression::fast());
    packed.write_all(&fs::read(&plain).expect("there")).expect("written");
    packed.finish().expect("written");
    fs::remove_file(plain).expect("there");
    check(&folder);
}

#[test]
fn a_malformed_row_is_refused_with_its_place() {
    let sound = "1,2,place,sell,1.00,2\n";
    let cases = [
        ("1,2,place,sell,1.00,x\n", "2:21: expected a quantity"),
        ("1,2,place,sell,1.00\n", "2:20: expected a quantity"),
        ("1,2,place,sell,1.00,2,\n", "2:23: expected the end of the row"),
        ("1,2,place,sold,1.00,2\n", "2:11: expected buy or sell"),
        ("1,2,places,sell,1.00,2\n", "2:5: expected place, cancel, reduce or move"),
        ("-1,2,place,sell,1.00,2\n", "2:1: expected an order id"),
        ("1,2,place,sell,,2\n", "2:16: expected a price"),
        ("1,,place,sell,1,2\n", "2:3: expected a user id"),
        ("1,2,place,sell,1.00,184467440738\n", "2:21: expected a quantity"),
        ("\n", "2:1: expected an order id"),
        ("1,2,place,sell,1.00,2\n\n", "3:1: expected an order id"),
    ];
    for (row, says) in cases {
        let folder = Folder::new("malformed", &format!("{HEAD}{row}{sound}"));
        let out = folder.replay();
        assert_eq!(out.status.code(), Some(1), "{row}");
        let text = String::from_utf8(out.stderr).expect("text");
        let place = format!("{}:{says}\n", folder.0.join("orders.csv").display());
        assert_eq!(text, format!("exchange: {place}"), "{row:?}");
        assert!(out.stdout.is_empty());
    }
    for (orders, says) in [
        ("", "orders.csv:1:1: expected order_id,user_id,[action,]side,price,qty"),
        ("order_id,user_id\n", "orders.csv:1:1: expected order_id,user_id,[action,]side,price,qty"),
        (&format!("{HEAD}7"), "orders.csv:2:2: expected a user id"),
        (
            &format!("{HEAD}{}", "1".repeat(3_000_000)),
            "orders.csv:2:1048538: expected a shorter row",
        ),
    ] {
        let out = Folder::new("head", orders).replay();
        let text = String::from_utf8(out.stderr).expect("text");
        assert!(out.status.code() == Some(1) && text.trim_end().ends_with(says), "{text}");
    }
    let folder = Folder::new("missing", HEAD);
    fs::remove_file(folder.0.join("balances_init.csv")).expect("there");
    let out = folder.replay();
    assert!(out.status.code() == Some(1) && out.stderr.ends_with(b"(os error 2)\n"));
}
