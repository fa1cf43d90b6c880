//! [`App`]: operations on routes, the hooks around them, and their description.

mod input;
mod openapi;

pub use input::{Header, Input, Json, Nothing, Path, Query, Raw, Ready};
pub use openapi::Doc;

use crate::{
    Mode, Reply, Request, Service,
    model::{Checker, Tape},
};
use aqueduct::Slice;
use input::{Call, NotJson};
use matchit::{InsertError, Params, Router};
use std::{
    cell::RefCell,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

/// Routes, and what is done there: by functions, or by closures, which hold what they need.
///
/// ```
/// use web::{App, Nothing, Path, Reply, model::ToJson};
///
/// web::model! { struct Who { user_id: i64 [ge = 1] } }
///
/// fn user(Path(who): Path<Who>, reply: &mut Reply<'_>) {
///     reply.json(|out| who.write_json(out));
/// }
///
/// let mut app = App::new("Users");
/// app.get::<Path<Who>>("/users/{user_id}", user)?;
/// let greeting = String::from("hello");
/// app.get::<Nothing>("/", move |_, reply| reply.body(greeting.as_bytes()))?;
/// let service = app.finish();
/// # let _ = service;
/// # Ok::<(), web::RouteError>(())
/// ```
pub struct App {
    title: &'static str,
    mode: Mode,
    router: Router<usize>,
    routes: Vec<Route>,
    hooks: Vec<Box<dyn Hook>>,
}

/// The operations of one path, in the order in which they were added.
struct Route {
    template: &'static str,
    /// Whether its last parameter is the rest of the path, where no line ends, as Starlette has it.
    rest: bool,
    operations: Vec<Operation>,
}

struct Operation {
    method: &'static str,
    run: Run,
    doc: Doc,
}

type Run = Box<dyn Fn(Call<'_>, &mut Checker, &mut Reply<'_>) + Send + Sync>;

/// What is done around each request.
pub trait Hook: Send + Sync + 'static {
    /// Before it is routed. False if it is answered by this; who lets it go on leaves the reply alone,
    /// but for headers that it is [always](Reply::always) to have.
    fn before(&self, request: &Request<'_>, reply: &mut Reply<'_>) -> bool {
        let _ = (request, reply);
        true
    }

    /// When it is answered with `status`, as the client sees it: 500 if the handler panicked, or made what
    /// cannot be sent. Of each hook whose [`before`](Self::before) was called.
    fn after(&self, request: &Request<'_>, status: u16, took: Duration) {
        let _ = (request, status, took);
    }
}

/// A route that cannot be added.
#[derive(Debug)]
pub struct RouteError {
    path: &'static str,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Clash(InsertError),
    /// A field of the path's model that the path does not have.
    Unbound(String),
    /// A field that cannot be, and why.
    Unfit((&'static str, &'static str)),
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Clash(clash) => write!(f, "{}: {clash}", self.path),
            Cause::Unbound(field) => write!(f, "{}: it has no parameter `{field}`", self.path),
            Cause::Unfit((field, why)) => write!(f, "{}: `{field}`: {why}", self.path),
        }
    }
}

impl std::error::Error for RouteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Clash(clash) => Some(clash),
            Cause::Unbound(_) | Cause::Unfit(_) => None,
        }
    }
}

/// Where each thread keeps what requests are read with, so that the next one allocates nothing.
#[derive(Default)]
struct Scratch {
    path: Tape,
    query: Tape,
    body: Tape,
    checker: Checker,
}

impl Scratch {
    /// Lets go of what only a very large request needed.
    fn trim(&mut self) {
        [&mut self.path, &mut self.query, &mut self.body].into_iter().for_each(Tape::trim);
        self.checker.trim();
    }
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl App {
    /// Without routes.
    #[must_use]
    pub fn new(title: &'static str) -> Self {
        let (router, mode) = (Router::new(), Mode::default());
        Self { title, mode, router, routes: Vec::new(), hooks: Vec::new() }
    }

    /// Sets whether fields are borrowed or copied.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Puts a hook around all requests, within those that were there before.
    #[must_use]
    pub fn hook(mut self, hook: impl Hook) -> Self {
        self.hooks.push(Box::new(hook));
        self
    }

    /// What `GET` does at `path`: `handler` gets what [`Input`] makes of the request, if it is valid.
    /// `HEAD` does the same.
    ///
    /// # Errors
    ///
    /// When the path cannot be told from another's, has this method already, or is without a parameter
    /// that a [`Path`] asks for; when an integer has a bound that is no integer, or a number is to be a
    /// multiple of zero or less.
    pub fn get<I: Input + 'static>(
        &mut self,
        path: &'static str,
        handler: impl for<'a> Fn(I::At<'a>, &mut Reply<'_>) + Send + Sync + 'static,
    ) -> Result<(), RouteError> {
        self.route::<I>("GET", path, handler)
    }

    /// As [`get`](Self::get), for `POST`.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn post<I: Input + 'static>(
        &mut self,
        path: &'static str,
        handler: impl for<'a> Fn(I::At<'a>, &mut Reply<'_>) + Send + Sync + 'static,
    ) -> Result<(), RouteError> {
        self.route::<I>("POST", path, handler)
    }

    /// As [`get`](Self::get), for any method.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn route<I: Input + 'static>(
        &mut self,
        method: &'static str,
        path: &'static str,
        handler: impl for<'a> Fn(I::At<'a>, &mut Reply<'_>) + Send + Sync + 'static,
    ) -> Result<(), RouteError> {
        let refused = |clash| RouteError { path, cause: Cause::Clash(clash) };
        let mut doc = Doc::default();
        I::describe(&mut doc);
        if let Some(field) = doc.unbound(path) {
            return Err(RouteError { path, cause: Cause::Unbound(field.to_owned()) });
        }
        if let Some(unfit) = doc.unfit {
            return Err(RouteError { path, cause: Cause::Unfit(unfit) });
        }
        let run = move |call: Call<'_>, checker: &mut Checker, reply: &mut Reply<'_>| {
            run::<I>(call, &handler, checker, reply);
        };
        let operation = Operation { method, run: Box::new(run), doc };
        if let Some(route) = self.routes.iter_mut().find(|route| route.template == path) {
            if route.operations.iter().any(|other| other.method == method) {
                return Err(refused(InsertError::Conflict { with: path.to_owned() }));
            }
            route.operations.push(operation);
            return Ok(());
        }
        // Both or none.
        let mut router = self.router.clone();
        router.insert(path, self.routes.len()).map_err(refused)?;
        // The rest of a path may be empty, which matchit does not take for one.
        let before = path.split_once("{*").map(|(before, _)| before);
        if let Some(before) = before {
            router.insert(before, self.routes.len()).map_err(refused)?;
        }
        self.router = router;
        let (rest, operations) = (before.is_some(), vec![operation]);
        self.routes.push(Route { template: path, rest, operations });
        Ok(())
    }

    /// What answers requests: with the description of all routes at `/openapi.json`.
    #[must_use]
    pub fn finish(self) -> impl Service {
        let operations = self.routes.iter().flat_map(|route| {
            route.operations.iter().map(|of| (route.template, of.method, &of.doc))
        });
        let description = Slice::from(openapi::document(self.title, operations));
        Served { app: self, description }
    }
}

/// An application that is complete.
struct Served {
    app: App,
    description: Slice,
}

impl Service for Served {
    fn call(&self, request: &Request<'_>, reply: &mut Reply<'_>) {
        if self.app.hooks.is_empty() {
            return self.answer(request, reply);
        }
        let (start, mut within) = (Instant::now(), 0);
        // What panics leaves nothing behind: its answer is taken back.
        let answered = catch_unwind(AssertUnwindSafe(|| {
            for hook in &self.app.hooks {
                within += 1;
                if !hook.before(request, reply) {
                    return;
                }
            }
            self.answer(request, reply);
        }));
        reply.settle(answered.is_ok());
        for hook in self.app.hooks[..within].iter().rev() {
            // One that panics keeps it from no other, and changes no answer.
            let told = || hook.after(request, reply.code(), start.elapsed());
            let _ = catch_unwind(AssertUnwindSafe(told));
        }
    }
}

impl Served {
    fn answer(&self, request: &Request<'_>, reply: &mut Reply<'_>) {
        SCRATCH.with(|kept| match kept.try_borrow_mut() {
            Ok(mut scratch) => {
                self.answer_with(&mut scratch, request, reply);
                scratch.trim();
            }
            // An application within a handler of another.
            Err(_) => self.answer_with(&mut Scratch::default(), request, reply),
        });
    }

    fn answer_with(&self, scratch: &mut Scratch, request: &Request<'_>, reply: &mut Reply<'_>) {
        let Scratch { path, query, body, checker } = scratch;
        let path = path.path(request.path);
        let found = self.app.router.at(path).ok().filter(|_| request.path.starts_with('/'));
        let Some((found, route)) = found
            .map(|found| (found.params, &self.app.routes[*found.value]))
            .filter(|(_, route)| !(route.rest && path.contains('\n')))
        else {
            return self.undeclared(request, reply);
        };
        let method = if request.method == "HEAD" { "GET" } else { request.method };
        match route.operations.iter().find(|operation| operation.method == method) {
            Some(operation) => {
                let call = Call { request, params: &found, query, body };
                checker.begin(self.app.mode == Mode::Copying);
                (operation.run)(call, checker, reply);
            }
            None => not_allowed(route, reply),
        }
    }

    fn undeclared(&self, request: &Request<'_>, reply: &mut Reply<'_>) {
        match (request.path, request.method) {
            ("/openapi.json", "GET" | "HEAD") => {
                reply.header("content-type", "application/json").slice(self.description.clone());
            }
            ("/openapi.json", _) => refused_method("GET", reply),
            _ => detail(reply, 404, "Not Found"),
        }
    }
}

fn run<I: Input>(
    call: Call<'_>,
    handler: &impl for<'a> Fn(I::At<'a>, &mut Reply<'_>),
    checker: &mut Checker,
    reply: &mut Reply<'_>,
) {
    let bytes = call.request.body.as_bytes();
    let latin = if I::HEADER { input::latin(call.request.headers) } else { Vec::new() };
    let ready = match call.ready::<I>(&bytes, &latin) {
        Ok(ready) => ready,
        Err(NotJson::Syntax { at, error }) => {
            checker.invalid_json(at, &error);
            return invalid(checker, reply);
        }
        Err(NotJson::Text) => return detail(reply, 400, "There was an error parsing the body"),
    };
    match I::take(&ready, checker) {
        Some(input) => handler(input, reply),
        None => invalid(checker, reply),
    }
}

fn invalid(checker: &Checker, reply: &mut Reply<'_>) {
    reply.status(422).json(|out| checker.write_detail(out));
}

fn not_allowed(route: &Route, reply: &mut Reply<'_>) {
    let methods: Vec<&str> = route.operations.iter().map(|operation| operation.method).collect();
    refused_method(&methods.join(", "), reply);
}

fn refused_method(allowed: &str, reply: &mut Reply<'_>) {
    reply.status(405).header("allow", allowed);
    reply.json(|out| std::io::Write::write_all(out, br#"{"detail":"Method Not Allowed"}"#));
}

fn detail(reply: &mut Reply<'_>, status: u16, words: &str) {
    reply.status(status).json(|out| {
        use std::io::Write;
        write!(out, "{{\"detail\":\"{words}\"}}")
    });
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("routes", &self.routes.len()).finish_non_exhaustive()
    }
}
