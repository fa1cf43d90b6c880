//! `cargo xtask long NAME`: the tests whose names contain NAME, a hundred times as long.
//!
//! The factor is testkit's: it reads `AQUEDUCT_LONG`. A hyphen in NAME stands for the underscore that a test
//! has there.

use crate::process::{Outcome, execute};
use crate::test_binary::build;

pub(crate) fn run(args: &[String]) -> Outcome {
    let [name] = args else {
        return Err("takes the name, or a part of the name, of the tests to run".to_owned());
    };
    let name = name.replace('-', "_");
    let mut found = 0;
    for binary in build(&["--release", "--workspace"], &[])? {
        let names = binary.tests()?.into_iter().filter(|test| test.contains(&name));
        for test in names {
            found += 1;
            let mut command = binary.command();
            command.args(["--exact", &test, "--nocapture", "--include-ignored"]);
            execute(command.env("AQUEDUCT_LONG", "1"))?;
        }
    }
    if found == 0 {
        return Err(format!("no test has {name} in its name"));
    }
    println!("long: {found} tests passed");
    Ok(())
}
