//! A ring as a naive reader of its documentation would write it: a queue for each stage.

use std::collections::VecDeque;

/// What a slot holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) value: u64,
    pub(crate) marks: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Claimed(usize),
    Published,
    GivenUp,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    content: Content,
    state: State,
}

#[derive(Debug)]
struct Stage {
    /// What not all of its consumers are done with.
    items: VecDeque<Item>,
    /// How many of them each consumer is done with, and whether it is there still.
    consumers: Vec<(usize, bool)>,
}

/// Why there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nothing {
    Yet,
    /// And whether somebody panicked.
    Ever(bool),
}

#[derive(Debug)]
pub(crate) struct Oracle {
    several: bool,
    free: VecDeque<Content>,
    /// Of several producers, and not with the first stage yet.
    claimed: VecDeque<Item>,
    stages: Vec<Stage>,
    producers: Vec<bool>,
    panicked: bool,
}

impl Oracle {
    pub(crate) fn new(capacity: usize, widths: &[usize], several: bool) -> Self {
        let stage = |width: &usize| Stage { items: [].into(), consumers: vec![(0, true); *width] };
        Self {
            several,
            free: vec![Content::default(); capacity].into(),
            claimed: [].into(),
            stages: widths.iter().map(stage).collect(),
            producers: vec![true],
            panicked: false,
        }
    }

    /// What the slots hold that a claim of so many gets.
    pub(crate) fn claim(&mut self, who: usize, count: usize) -> Result<Vec<Content>, Nothing> {
        self.give_up(who);
        if self.free.len() < count {
            return Err(self.room_for(count));
        }
        let contents: Vec<_> = self.free.iter().take(count).copied().collect();
        if self.several {
            self.free.drain(..count);
            let item = |content: &Content| Item { content: *content, state: State::Claimed(who) };
            self.claimed.extend(contents.iter().map(item));
        }
        Ok(contents)
    }

    /// The claim's slots hold this now. So many of them are published, and the others given up, but if the
    /// claim was forgotten.
    pub(crate) fn filled(&mut self, who: usize, contents: &[Content], published: Option<usize>) {
        if !self.several {
            for (free, content) in self.free.iter_mut().zip(contents) {
                *free = *content;
            }
            let items = self.free.drain(..published.unwrap_or(0));
            let item = |content| Item { content, state: State::Published };
            self.stages[0].items.extend(items.map(item));
            return;
        }
        let own = |item: &&mut Item| matches!(item.state, State::Claimed(of) if of == who);
        for (i, item) in self.claimed.iter_mut().filter(own).enumerate() {
            item.content = contents[i];
            match published {
                Some(count) if i < count => item.state = State::Published,
                Some(_) => item.state = State::GivenUp,
                None => {}
            }
        }
        self.settle();
    }

    fn give_up(&mut self, who: usize) {
        for item in &mut self.claimed {
            if matches!(item.state, State::Claimed(of) if of == who) {
                item.state = State::GivenUp;
            }
        }
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(item) = self.claimed.front()
            && !matches!(item.state, State::Claimed(_))
        {
            self.stages[0].items.extend(self.claimed.pop_front());
        }
        for stage in 0..self.stages.len() {
            while let Some(done) = self.stages[stage].consumers.iter().map(|c| c.0).min()
                && done > 0
            {
                let item = self.stages[stage].items.pop_front().unwrap();
                self.stages[stage].consumers.iter_mut().for_each(|consumer| consumer.0 -= 1);
                match self.stages.get_mut(stage + 1) {
                    Some(next) => next.items.push_back(item),
                    None => self.free.push_back(item.content),
                }
            }
        }
    }

    /// Why so many cannot be claimed.
    fn room_for(&self, count: usize) -> Nothing {
        let never = self.freed().is_some_and(|freed| self.free.len() + freed < count);
        if never { Nothing::Ever(self.panicked) } else { Nothing::Yet }
    }

    /// How many slots can still be freed, if a consumer is gone.
    fn freed(&self) -> Option<usize> {
        let (mut behind, mut freed) = (0, None);
        for stage in self.stages.iter().rev() {
            let gone = stage.consumers.iter().filter(|consumer| !consumer.1);
            freed = gone.map(|consumer| behind + consumer.0).chain(freed).min();
            behind += stage.items.len();
        }
        freed
    }

    /// Whether who waits for so many slots knows by now: they are there, or none will ever be freed again.
    /// (That others took the last of those that will be it learns with the next that is freed.)
    pub(crate) fn answers(&self, count: usize) -> bool {
        self.free.len() >= count || self.freed() == Some(0)
    }

    /// What a consumer can take, those that were given up among them: none.
    pub(crate) fn see(&self, stage: usize, who: usize) -> Result<Vec<Option<Content>>, Nothing> {
        let Stage { items, consumers } = &self.stages[stage];
        let there = items.range(consumers[who].0..);
        let content = |item: &Item| matches!(item.state, State::Published).then_some(item.content);
        let there: Vec<_> = there.map(content).collect();
        match there.len() {
            0 if self.more_comes(stage) => Err(Nothing::Yet),
            0 => Err(Nothing::Ever(self.panicked)),
            _ => Ok(there),
        }
    }

    fn more_comes(&self, stage: usize) -> bool {
        let Some(before) = stage.checked_sub(1).map(|before| &self.stages[before]) else {
            return self.producers.contains(&true);
        };
        let stuck = before.consumers.contains(&(0, false));
        !stuck && (!before.items.is_empty() || self.more_comes(stage - 1))
    }

    /// A consumer is done with so many; all that is published among them is marked.
    pub(crate) fn done(&mut self, stage: usize, who: usize, count: usize) {
        self.stages[stage].consumers[who].0 += count;
        self.settle();
    }

    /// A consumer writes to what is there for it.
    pub(crate) fn mark(&mut self, stage: usize, who: usize, at: usize, marks: u64) {
        let first = self.stages[stage].consumers[who].0;
        self.stages[stage].items[first + at].content.marks += marks;
    }

    pub(crate) fn clone_producer(&mut self) {
        self.producers.push(true);
    }

    pub(crate) fn drop_producer(&mut self, who: usize, panicking: bool) {
        self.give_up(who);
        self.producers[who] = false;
        self.panicked |= panicking;
    }

    pub(crate) fn drop_consumer(&mut self, stage: usize, who: usize, panicking: bool) {
        self.stages[stage].consumers[who].1 = false;
        self.panicked |= panicking;
    }
}
