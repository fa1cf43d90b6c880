//! The demonstration application: what stands in the README.

mod models;

use crate::{App, Header, Json, Mode, Nothing, Path, Query, Raw, Reply, RouteError, model::ToJson};
use aqueduct::Slice;
use models::{
    Agent, Count, FilePath, Item, ItemId, ItemQuery, Notify, Order, Patch, Search, Strict, User,
    UserId,
};
use std::io::Write;

/// All of it.
///
/// # Errors
///
/// None, as its tests show: the routes are what they are.
pub fn demo(mode: Mode) -> Result<App, RouteError> {
    let mut app = App::new("Demonstration").mode(mode);
    app.get::<Nothing>("/", |_, reply| say(reply, r#"{"message":"Hello, World"}"#))?;
    app.get::<Nothing>("/health", |_, reply| text(reply).body(b"ok"))?;
    app.get::<Path<UserId<'_>>>("/users/{user_id}", read_user)?;
    app.get::<(Path<ItemId<'_>>, Query<ItemQuery<'_>>)>("/items/{item_id}", read_item)?;
    app.get::<Query<Search<'_>>>("/search", search)?;
    app.get::<Path<FilePath<'_>>>("/files/{*path}", |Path(file), reply| json(reply, &file))?;
    app.get::<Header<Agent<'_>>>("/headers", headers)?;
    app.post::<Json<User<'_>>>("/users", |Json(user), reply| json(reply.status(201), &user))?;
    app.post::<Json<Item<'_>>>("/items", create_item)?;
    type Replace<'a> = (Path<ItemId<'a>>, Query<Notify>, Json<Item<'a>>);
    app.route::<Replace<'_>>("PUT", "/items/{item_id}", replace_item)?;
    app.route::<(Path<ItemId<'_>>, Json<Patch<'_>>)>("PATCH", "/items/{item_id}", patch_item)?;
    app.route::<Path<ItemId<'_>>>("DELETE", "/items/{item_id}", |_, reply| {
        reply.status(204).header("content-type", "application/json").empty();
    })?;
    app.post::<Json<Order<'_>>>("/orders", create_order)?;
    app.post::<Json<Strict<'_>>>("/strict", |Json(strict), reply| json(reply, &strict))?;
    app.post::<Raw<'_>>("/echo", echo)?;
    app.get::<Query<Count>>("/stream", stream)?;
    app.get::<Nothing>("/tuple", |_, reply| say(reply.status(202), r#"{"accepted":true}"#))?;
    Ok(app)
}

fn say(reply: &mut Reply<'_>, json: &'static str) {
    reply.json(|out| out.write_all(json.as_bytes()));
}

fn json(reply: &mut Reply<'_>, answer: &impl ToJson) {
    reply.json(|out| answer.write_json(out));
}

fn text<'r, 'w>(reply: &'r mut Reply<'w>) -> &'r mut Reply<'w> {
    reply.header("content-type", "text/plain; charset=utf-8")
}

fn read_user(Path(user): Path<UserId<'_>>, reply: &mut Reply<'_>) {
    reply.json(|out| {
        out.write_all(br#"{"user_id":"#)?;
        user.user_id.write_json(out)?;
        out.write_all(br#","name":"User "#)?;
        user.user_id.write_json(out)?;
        out.write_all(br#""}"#)
    });
}

fn read_item(
    (Path(item), Query(query)): (Path<ItemId<'_>>, Query<ItemQuery<'_>>),
    reply: &mut Reply<'_>,
) {
    reply.json(|out| {
        out.write_all(br#"{"item_id":"#)?;
        item.item_id.write_json(out)?;
        out.write_all(br#","q":"#)?;
        query.q.write_json(out)?;
        out.write_all(br#","skip":"#)?;
        query.skip.write_json(out)?;
        out.write_all(br#","limit":"#)?;
        query.limit.write_json(out)?;
        write!(out, r#","short":{},"price":"#, query.short)?;
        query.price.write_json(out)?;
        out.write_all(b"}")
    });
}

fn search(Query(search): Query<Search<'_>>, reply: &mut Reply<'_>) {
    reply.json(|out| {
        out.write_all(br#"{"tags":"#)?;
        search.tag.write_json(out)?;
        out.write_all(br#","sort":"#)?;
        search.sort.write_json(out)?;
        out.write_all(b"}")
    });
}

fn headers(Header(agent): Header<Agent<'_>>, reply: &mut Reply<'_>) {
    reply.json(|out| {
        out.write_all(br#"{"x_token":"#)?;
        agent.x_token.write_json(out)?;
        out.write_all(br#","user_agent":"#)?;
        agent.user_agent.write_json(out)?;
        out.write_all(b"}")
    });
}

fn create_item(Json(item): Json<Item<'_>>, reply: &mut Reply<'_>) {
    reply.json(|out| {
        out.write_all(br#"{"name":"#)?;
        item.name.write_json(out)?;
        out.write_all(br#","price":"#)?;
        item.price.write_json(out)?;
        out.write_all(br#","quantity":"#)?;
        item.quantity.write_json(out)?;
        out.write_all(br#","total":"#)?;
        (item.price * item.quantity.to_f64()).write_json(out)?;
        out.write_all(b"}")
    });
}

fn replace_item(
    (Path(id), Query(query), Json(item)): (Path<ItemId<'_>>, Query<Notify>, Json<Item<'_>>),
    reply: &mut Reply<'_>,
) {
    reply.json(|out| {
        out.write_all(br#"{"item_id":"#)?;
        id.item_id.write_json(out)?;
        write!(out, r#","notify":{},"item":"#, query.notify)?;
        item.write_json(out)?;
        out.write_all(b"}")
    });
}

fn patch_item((_, Json(patch)): (Path<ItemId<'_>>, Json<Patch<'_>>), reply: &mut Reply<'_>) {
    json(reply, &patch);
}

fn create_order(Json(order): Json<Order<'_>>, reply: &mut Reply<'_>) {
    let total: i64 = order.lines.iter().map(|line| line.count).sum();
    reply.status(201).json(|out| {
        out.write_all(br#"{"customer":"#)?;
        order.customer.name.write_json(out)?;
        write!(out, r#","lines":{},"total":{total},"status":"#, order.lines.len())?;
        order.status.write_json(out)?;
        out.write_all(br#","ref":"#)?;
        order.reference.write_json(out)?;
        out.write_all(b"}")
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
