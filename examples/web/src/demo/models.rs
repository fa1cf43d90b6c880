//! The models of the demonstration application.

use crate::model::{Either, Email, Given, Int, List, Url};
use std::borrow::Cow;

type Text<'a> = Cow<'a, str>;

crate::model! { pub(super) struct UserId<'a> { user_id: Int<'a> [ge = 1] } }
crate::model! { pub(super) struct ItemId<'a> { item_id: Int<'a> } }
crate::model! { pub(super) struct FilePath<'a> { path: Text<'a> } }
crate::model! { pub(super) struct Notify { notify: bool = false } }
crate::model! { pub(super) struct Count { count: i64 [ge = 0, le = 100] = 3 } }

crate::model! {
    pub(super) struct ItemQuery<'a> {
        q: Option<Text<'a>> [min_length = 2, max_length = 20] = null,
        skip: Int<'a> [ge = 0] = 0,
        limit: Int<'a> [ge = 1, le = 100] = 10,
        short: bool = false,
        price: Option<f64> [gt = 0] = null,
    }
}

crate::model! {
    pub(super) struct Search<'a> {
        tag: List<'a, Text<'a>> [min_items = 1, max_items = 3],
        sort: Text<'a> [one_of = ["asc", "desc"]] = "asc",
    }
}

crate::model! {
    pub(super) struct Agent<'a> {
        x_token as "x-token": Text<'a> [min_length = 3],
        user_agent as "user-agent": Option<Text<'a>> = null,
    }
}

crate::model! {
    /// Where somebody lives.
    pub struct Address<'a> {
        street: Text<'a> [min_length = 1],
        city: Text<'a> [min_length = 1, max_length = 40],
        zip: Text<'a> [pattern = "^[0-9]{5}$"],
        country: Text<'a> = "DE",
    }
}

crate::model! {
    /// A person.
    pub struct User<'a> {
        name: Text<'a> [min_length = 1, max_length = 50],
        email: Email<'a>,
        age: i64 [ge = 0, le = 150],
        active: bool = true,
        website: Option<Url<'a>> = null,
        address: Option<Address<'a>> = null,
        tags: List<'a, Text<'a>> [max_items = 5, unique_items = true, each = [min_length = 1]] = [],
    }
}

crate::model! {
    /// Something to sell.
    pub struct Item<'a> {
        name: Text<'a> [min_length = 1, max_length = 100],
        price: f64 [gt = 0, lt = 1000000],
        quantity: Int<'a> [ge = 1, multiple_of = 1] = 1,
        kind: Text<'a> [one_of = ["book", "toy", "food"]] = "book",
        rating: Option<f64> [ge = 0, le = 5] = null,
        step: Int<'a> [multiple_of = 5] = 5,
    }
}

crate::model! {
    /// What is to be changed of something.
    pub struct Patch<'a> {
        name: Given<Option<Text<'a>>> [min_length = 1] = null,
        price: Given<Option<f64>> [gt = 0] = null,
        reference as "ref": Given<Option<Either<Int<'a>, Text<'a>>>> = null,
    }
}

crate::model! {
    /// So many of one thing.
    pub struct Line<'a> {
        sku: Text<'a> [pattern = "^[A-Z]{3}-[0-9]{4}$"],
        count: i64 [ge = 1, le = 99],
        note: Option<Text<'a>> [max_length = 20] = null,
    }
}

crate::model! {
    /// What somebody wants.
    pub struct Order<'a> {
        customer: User<'a>,
        lines: List<'a, Line<'a>> [min_items = 1, max_items = 50],
        status: Text<'a> [one_of = ["new", "paid", "sent"]] = "new",
        reference as "ref": Either<Int<'a>, Text<'a>>,
    }
}

crate::model! {
    /// One that takes no field it does not know.
    pub closed struct Strict<'a> {
        id: Int<'a> [gt = 0],
        label: Text<'a> [max_length = 10],
    }
}
