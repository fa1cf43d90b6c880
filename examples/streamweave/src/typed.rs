//! [`Weave`]: graphs whose edges' types the compiler checks.

use crate::{
    BuildError, Builder, Failure, Graph, Item, Message, Next, Node, Outputs, Payload, Place,
    Policy, Port, Source,
    function::{Work, cow, pass, stateless, updated},
};
use aqueduct::Slice;
use std::{
    any::type_name,
    borrow::Cow,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
};

/// An output that gives items of a type. It may lead to several inputs: they share what it gives.
#[derive(Clone, Debug)]
pub struct Out<T> {
    port: String,
    item: PhantomData<fn() -> T>,
}

/// An input that takes items of a type. It is used up by what is led to it.
#[derive(Debug)]
pub struct In<T> {
    port: String,
    item: PhantomData<fn(T)>,
}

/// A graph in the making, whose edges connect equal types only, and each input once.
///
/// ```
/// use streamweave::{Executor, Mode, Weave};
///
/// let mut weave = Weave::new();
/// let numbers = weave.source("numbers", 1..=10_i64);
/// let (even, evens) = weave.filter("even", |n: &i64| n % 2 == 0);
/// let (square, squares) = weave.map("square", |n: i64| n * n);
/// let (sum, total) = weave.collect::<i64>("sum");
/// weave.connect(&numbers, even);
/// weave.connect(&evens, square);
/// weave.connect(&squares, sum);
/// Executor::new(weave.build()?, Mode::InProcess).run()?;
/// assert_eq!(total.take().into_iter().sum::<i64>(), 220);
/// # Ok::<(), streamweave::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Weave {
    builder: Builder,
    wrong: Option<BuildError>,
}

impl Weave {
    /// An empty graph.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Leads an output to an input: of its own type, and one that nothing leads to yet.
    ///
    /// ```compile_fail,E0382
    /// let mut weave = streamweave::Weave::new();
    /// let numbers = weave.source("numbers", 0..10_i64);
    /// let (sink, _) = weave.collect::<i64>("sink");
    /// weave.connect(&numbers, sink);
    /// weave.connect(&numbers, sink);
    /// ```
    ///
    /// ```compile_fail,E0308
    /// let mut weave = streamweave::Weave::new();
    /// let numbers = weave.source("numbers", 0..10_i64);
    /// let (sink, _) = weave.collect::<u64>("sink");
    /// weave.connect(&numbers, sink);
    /// ```
    pub fn connect<T: Item>(&mut self, from: &Out<T>, to: In<T>) {
        let done = self.builder.connect(&from.port, &to.port);
        self.note(done);
    }

    /// Adds any node: of what kind its ports are it says itself.
    pub fn add(&mut self, node: Node) {
        let done = self.builder.add(node);
        self.note(done);
    }

    /// An input of a node that was added. That nothing else leads to it is seen when the graph is built.
    #[must_use]
    pub fn input<T: Item>(&self, node: &str, port: usize) -> In<T> {
        In { port: format!("{node}:{port}"), item: PhantomData }
    }

    /// An output of a node that was added.
    #[must_use]
    pub fn output<T: Item>(&self, node: &str, port: usize) -> Out<T> {
        Out { port: format!("{node}:{port}"), item: PhantomData }
    }

    /// Gives what an iterator does, each time that the graph runs anew.
    pub fn source<I>(&mut self, name: &str, items: I) -> Out<I::Item>
    where
        I: IntoIterator<Item: Item, IntoIter: Send> + Clone + Send + Sync + 'static,
    {
        let make = move || -> Result<Box<dyn Source>, Failure> {
            Ok(Box::new(Items { items: items.clone().into_iter(), sequence: 0 }))
        };
        self.add(Node::source(name, type_name::<I::Item>(), Arc::new(make)));
        self.output(name, 0)
    }

    /// Makes another item of each.
    pub fn map<T: Item, U: Item>(
        &mut self,
        name: &str,
        map: impl Fn(T) -> U + Clone + Send + Sync + 'static,
    ) -> (In<T>, Out<U>) {
        self.try_map(name, move |item| Ok(map(item)))
    }

    /// Makes another item of each, or fails.
    pub fn try_map<T: Item, U: Item>(
        &mut self,
        name: &str,
        map: impl Fn(T) -> Result<U, Failure> + Clone + Send + Sync + 'static,
    ) -> (In<T>, Out<U>) {
        self.operator(name, move |message: Message, out: &mut Outputs<'_>| {
            let payload = map(T::from_payload(message.payload)?)?.into_payload();
            out.emit(0, Message { payload, ..message })
        })
    }

    /// Keeps the items that pass.
    pub fn filter<T: Item>(
        &mut self,
        name: &str,
        passes: impl Fn(&T) -> bool + Clone + Send + Sync + 'static,
    ) -> (In<T>, Out<T>) {
        self.operator(name, move |mut message: Message, out: &mut Outputs<'_>| {
            let item = T::from_payload(message.payload)?;
            if !passes(&item) {
                return Ok(());
            }
            message.payload = item.into_payload();
            out.emit(0, message)
        })
    }

    /// Makes any number of items of each.
    pub fn flat_map<T: Item, U: Item, I: IntoIterator<Item = U>>(
        &mut self,
        name: &str,
        map: impl Fn(T) -> I + Clone + Send + Sync + 'static,
    ) -> (In<T>, Out<U>) {
        self.operator(name, move |mut message: Message, out: &mut Outputs<'_>| {
            for item in map(T::from_payload(std::mem::take(&mut message.payload))?) {
                out.emit(0, Message { payload: item.into_payload(), ..message.clone() })?;
            }
            Ok(())
        })
    }

    /// Changes bytes where they must be: what the function gives back borrowed is not touched, and a part
    /// of it stays where it is.
    pub fn map_cow(
        &mut self,
        name: &str,
        map: impl for<'a> Fn(Cow<'a, [u8]>) -> Cow<'a, [u8]> + Clone + Send + Sync + 'static,
    ) -> (In<Slice>, Out<Slice>) {
        self.map(name, move |bytes: Slice| cow(bytes, &map))
    }

    /// Changes bytes in place where nobody shares them, and in a copy where somebody does.
    pub fn update(
        &mut self,
        name: &str,
        update: impl Fn(&mut [u8]) + Clone + Send + Sync + 'static,
    ) -> (In<Slice>, Out<Slice>) {
        self.map(name, move |bytes: Slice| updated(bytes, &update))
    }

    /// Makes one stream of several.
    pub fn merge<T: Item, const N: usize>(&mut self, name: &str) -> ([In<T>; N], Out<T>) {
        let mut node = self.made(name, type_name::<T>(), type_name::<T>(), pass);
        node.inputs = (0..N).map(|at| Port::new(at.to_string(), type_name::<T>())).collect();
        self.add(node);
        let input = |at| In { port: format!("{name}:{at}"), item: PhantomData };
        (std::array::from_fn(input), self.output(name, 0))
    }

    /// Keeps all items, for the program to take.
    pub fn collect<T: Item>(&mut self, name: &str) -> (In<T>, Collected<T>) {
        let collected = Collected(Arc::default());
        let kept = collected.clone();
        let input = self.sink(name, move |item| {
            kept.0.lock().unwrap_or_else(PoisonError::into_inner).push(item);
            Ok(())
        });
        (input, collected)
    }

    /// Hands each item to a function.
    pub fn sink<T: Item>(
        &mut self,
        name: &str,
        take: impl Fn(T) -> Result<(), Failure> + Clone + Send + Sync + 'static,
    ) -> In<T> {
        let take =
            move |message: Message, _: &mut Outputs<'_>| take(T::from_payload(message.payload)?);
        let node = self.made(name, type_name::<T>(), "nothing", take);
        self.add(Node { outputs: Vec::new(), place: Place::On(0), ..node });
        In { port: name.to_owned(), item: PhantomData }
    }

    /// What a node does about failures; it stops the run unless told otherwise.
    pub fn policy(&mut self, name: &str, policy: Policy) {
        let done = self.builder.node(name).map(|node| node.policy = policy);
        self.note(done);
    }

    /// Lets a node begin a thread of its own, behind a bounded queue.
    pub fn own_thread(&mut self, name: &str) {
        let done = self.builder.node(name).map(|node| node.thread = true);
        self.note(done);
    }

    /// Lets a node run on this worker alone, modulo their number, where there are several.
    pub fn place(&mut self, name: &str, worker: usize) {
        let done = self.builder.node(name).map(|node| node.place = Place::On(worker));
        self.note(done);
    }

    /// The graph.
    ///
    /// # Errors
    ///
    /// What was wrong first: a name that is used twice or not at all, an input that nothing leads to.
    pub fn build(self) -> Result<Graph, BuildError> {
        match self.wrong {
            Some(error) => Err(error),
            None => self.builder.build(),
        }
    }

    fn operator<T: Item, U: Item>(
        &mut self,
        name: &str,
        work: impl Work + Clone + Sync,
    ) -> (In<T>, Out<U>) {
        let node = self.made(name, type_name::<T>(), type_name::<U>(), work);
        self.add(node);
        (In { port: name.to_owned(), item: PhantomData }, self.output(name, 0))
    }

    fn made(
        &self,
        name: &str,
        takes: &'static str,
        gives: &'static str,
        work: impl Work + Clone + Sync,
    ) -> Node {
        Node::operator(name, takes, gives, stateless(work))
    }

    fn note(&mut self, done: Result<(), BuildError>) {
        if let Err(error) = done {
            self.wrong.get_or_insert(error);
        }
    }
}

struct Items<I> {
    items: I,
    sequence: u64,
}

impl<I: Iterator<Item: Item> + Send> Source for Items<I> {
    fn next(&mut self) -> Result<Next, Failure> {
        let Some(item) = self.items.next() else { return Ok(Next::End) };
        let (payload, sequence): (Payload, u64) = (item.into_payload(), self.sequence);
        self.sequence += 1;
        Ok(Next::Item(Message { payload, sequence, ..Message::default() }))
    }
}

/// The items that came to a sink.
#[derive(Clone, Debug)]
pub struct Collected<T>(Arc<Mutex<Vec<T>>>);

impl<T> Collected<T> {
    /// Those that came since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<T> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
