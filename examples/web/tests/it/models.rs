//! The models of tests/twin/models.py: those of the demonstration, and one for each rule.
#![allow(missing_docs, reason = "the twin has them by the same names")]

use std::borrow::Cow;

pub(crate) use web::demo::models::{Item, Order, Patch, Strict, User};
use web::model::{Either, Email, Int, List, Url};

type Text<'a> = Cow<'a, str>;

web::model! { pub(crate) struct AnInt<'a> { v: Int<'a> } }
web::model! { pub(crate) struct Ruled<'a> { v: Int<'a> [gt = 0, le = 100, multiple_of = 5] } }
web::model! {
    pub(crate) struct Signed<'a> {
        v: Int<'a> [ge = -5, le = 9_007_199_254_740_993],
        w: Option<Int<'a>> [gt = -9_223_372_036_854_775_808, lt = -1, multiple_of = 3] = null,
        x: Option<f64> [ge = -5, lt = -0.5] = null,
    }
}
web::model! { pub(crate) struct AFloat { v: f64 } }
web::model! { pub(crate) struct Range { v: f64 [gt = 0, lt = 10, multiple_of = 0.5] } }
web::model! { pub(crate) struct Tenth { v: f64 [multiple_of = 0.1] } }
web::model! { pub(crate) struct Least { v: f64 [ge = 0.5, le = 1e16] } }
web::model! { pub(crate) struct ABool { v: bool } }
web::model! {
    pub(crate) struct AText<'a> {
        v: Text<'a> [min_length = 2, max_length = 3, pattern = r"^\w+$"],
    }
}
web::model! {
    pub(crate) struct AList<'a> {
        v: List<'a, Text<'a>>
            [min_items = 2, max_items = 4, unique_items = true, each = [min_length = 1]],
    }
}
web::model! { pub(crate) struct Numbers<'a> { v: List<'a, Int<'a>> } }
web::model! {
    pub(crate) struct Choice<'a> {
        v: Text<'a> [one_of = ["a"]],
        w: Text<'a> [one_of = ["it's", "x"]] = "x",
    }
}
web::model! { pub(crate) struct AnEmail<'a> { v: Email<'a> } }
web::model! { pub(crate) struct AUrl<'a> { v: Url<'a> } }
web::model! {
    pub(crate) struct Unions<'a> {
        a: Option<Either<f64, Text<'a>>> = null,
        b: Either<Text<'a>, Int<'a>>,
        c: Option<Either<Int<'a>, bool>> = null,
    }
}
web::model! {
    pub(crate) struct Asked<'a> {
        tag: List<'a, Text<'a>> [min_items = 1, max_items = 3, each = [min_length = 2]],
        skip: Int<'a> [ge = 0] = 0,
        q: Option<Text<'a>> [min_length = 2, max_length = 5] = null,
        short: bool = false,
        price: Option<f64> [gt = 0] = null,
        sort: Text<'a> [one_of = ["asc", "desc"]] = "asc",
        nums: List<'a, Int<'a>> = [],
    }
}
