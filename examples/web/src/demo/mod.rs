//! The demonstration application: what stands in the README.

pub mod models;

use crate::{
    App, Header, Json, Mode, Nothing, Path, Query, Raw, Reply, RouteError,
    model::{Int, ToJson},
    object,
};
use aqueduct::Slice;
use models::{
    Agent, Count, FilePath, Item, ItemId, ItemQuery, Notify, Order, Patch, Search, Strict, User,
    UserId,
};
use std::{
    borrow::Cow,
    io::{self, Write},
};

/// All of it.
///
/// # Errors
///
/// None, as its tests show: the routes are what they are.
pub fn demo(mode: Mode) -> Result<App, RouteError> {
    let mut app = App::new("Demonstration").mode(mode);
    app.get::<Nothing>("/", |_, reply| {
        reply.json(|out| object!(out, "message": Cow::Borrowed("Hello, World")));
    })?;
    app.get::<Nothing>("/health", |_, reply| text(reply).body(b"ok"))?;
    app.get::<Path<UserId<'_>>>("/users/{user_id}", read_user)?;
    app.get::<ReadItem<'_>>("/items/{item_id}", read_item)?;
    app.get::<Query<Search<'_>>>("/search", search)?;
    app.get::<Path<FilePath<'_>>>("/files/{*path}", |Path(file), reply| json(reply, &file))?;
    app.get::<Header<Agent<'_>>>("/headers", headers)?;
    app.post::<Json<User<'_>>>("/users", |Json(user), reply| json(reply.status(201), &user))?;
    app.post::<Json<Item<'_>>>("/items", create_item)?;
    app.route::<ReplaceItem<'_>>("PUT", "/items/{item_id}", replace_item)?;
    app.route::<(Path<ItemId<'_>>, Json<Patch<'_>>)>("PATCH", "/items/{item_id}", patch_item)?;
    app.route::<Path<ItemId<'_>>>("DELETE", "/items/{item_id}", |_, reply| {
        reply.status(204).header("content-type", "application/json").empty();
    })?;
    app.post::<Json<Order<'_>>>("/orders", create_order)?;
    app.post::<Json<Strict<'_>>>("/strict", |Json(strict), reply| json(reply, &strict))?;
    app.post::<Raw<'_>>("/echo", echo)?;
    app.get::<Query<Count>>("/stream", stream)?;
    app.get::<Nothing>("/tuple", |_, reply| {
        reply.status(202).json(|out| object!(out, "accepted": true));
    })?;
    Ok(app)
}

fn json(reply: &mut Reply<'_>, answer: &impl ToJson) {
    reply.json(|out| answer.write_json(out));
}

fn text<'r, 'w>(reply: &'r mut Reply<'w>) -> &'r mut Reply<'w> {
    reply.header("content-type", "text/plain; charset=utf-8")
}

fn read_user(Path(user): Path<UserId<'_>>, reply: &mut Reply<'_>) {
    let name = Numbered("User ", user.user_id);
    reply.json(|out| object!(out, "user_id": user.user_id, "name": name));
}

/// Text and a number, as one string.
struct Numbered<'a>(&'static str, Int<'a>);

impl ToJson for Numbered<'_> {
    fn write_json<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        write!(out, "\"{}", self.0)?;
        self.1.write_json(out)?;
        out.write_all(b"\"")
    }
}

type ReadItem<'a> = (Path<ItemId<'a>>, Query<ItemQuery<'a>>);

fn read_item((Path(item), Query(query)): ReadItem<'_>, reply: &mut Reply<'_>) {
    reply.json(|out| {
        object!(
            out,
            "item_id": item.item_id,
            "q": query.q,
            "skip": query.skip,
            "limit": query.limit,
            "short": query.short,
            "price": query.price,
        )
    });
}

fn search(Query(search): Query<Search<'_>>, reply: &mut Reply<'_>) {
    reply.json(|out| object!(out, "tags": search.tag, "sort": search.sort));
}

fn headers(Header(agent): Header<Agent<'_>>, reply: &mut Reply<'_>) {
    reply.json(|out| object!(out, "x_token": agent.x_token, "user_agent": agent.user_agent));
}

fn create_item(Json(item): Json<Item<'_>>, reply: &mut Reply<'_>) {
    let total = item.price * item.quantity.to_f64();
    reply.json(|out| {
        object!(
            out,
            "name": item.name,
            "price": item.price,
            "quantity": item.quantity,
            "total": total,
        )
    });
}

type ReplaceItem<'a> = (Path<ItemId<'a>>, Query<Notify>, Json<Item<'a>>);

fn replace_item((Path(id), Query(query), Json(item)): ReplaceItem<'_>, reply: &mut Reply<'_>) {
    reply.json(|out| object!(out, "item_id": id.item_id, "notify": query.notify, "item": item));
}

fn patch_item((_, Json(patch)): (Path<ItemId<'_>>, Json<Patch<'_>>), reply: &mut Reply<'_>) {
    json(reply, &patch);
}

fn create_order(Json(order): Json<Order<'_>>, reply: &mut Reply<'_>) {
    let (mut lines, mut total) = (0, 0);
    for line in order.lines.iter() {
        (lines, total) = (lines + 1, total + line.count);
    }
    reply.status(201).json(|out| {
        object!(
            out,
            "customer": order.customer.name,
            "lines": lines,
            "total": total,
            "status": order.status,
            "ref": order.reference,
        )
    });
}

/// The same bytes: handed on where they were received.
fn echo(raw: Raw<'_>, reply: &mut Reply<'_>) {
    reply.header("content-type", "application/octet-stream");
    reply.slice(raw.request.body.slice(raw.bytes));
}

fn stream(Query(query): Query<Count>, reply: &mut Reply<'_>) {
    let lines = (0..query.count).map(|i| Slice::from(format!("line {i}\n").into_bytes()));
    text(reply).stream(lines);
}
