//! An event stream on its way: which events are edited, which wait, and what for.
//!
//! Knows: events, deltas, texts that grow. Must not know: any dialect, chunks.

use std::{collections::HashMap, ops::Range};

use bytes::BytesMut;

use super::{
    Restore, Watch,
    channel::{Channel, Restored, restored},
    event::{Event, Fragment, Key},
    extract::Notes,
    lexer::Lexer,
    queue::Queue,
    sse::{Data, Item, as_lines},
    stream::{Framing, Grammar, Reading},
    watch::{Action, Watcher},
};
use crate::{
    seal::{self, Match},
    span::{Edit, covering, decode, escape},
};

/// Texts that are followed at a time: more than any service sends side by side.
const MOST_TEXTS: usize = 1024;

/// An event stream.
pub(super) struct Events {
    grammar: &'static Grammar,
    framing: Framing,
    queue: Queue,
    texts: HashMap<Key, Growing>,
    /// How many of the texts have a tail.
    tails: usize,
    watcher: Watcher,
    pub(super) notes: Notes,
    // Kept from event to event for their memory.
    data: Data,
    event: Event,
    decoded: Vec<u8>,
}

/// A text, and where its tail stands.
#[derive(Default)]
struct Growing {
    channel: Channel,
    plain: bool,
    tail: Vec<Part>,
}

/// A part of a text that is in one event.
#[derive(Clone)]
struct Part {
    event: u64,
    /// The delta's string in the event, without quotes.
    string: Range<usize>,
    /// The part in what that string stands for.
    decoded: Range<usize>,
}

impl Events {
    pub(super) fn new(grammar: &'static Grammar, framing: Framing) -> Self {
        Self {
            grammar,
            queue: Queue::default(),
            texts: HashMap::new(),
            tails: 0,
            watcher: Watcher::new(grammar),
            notes: Notes::default(),
            framing,
            data: Data::new(framing),
            event: Event::default(),
            decoded: Vec::new(),
        }
    }

    /// Takes the next stretch of the stream.
    pub(super) fn item(&mut self, item: Item<'_>, watch: &mut dyn Watch, out: &mut BytesMut) {
        match item {
            Item::Raw(bytes) => self.put(bytes, out),
            Item::Event(event) => self.event(event, watch, out),
        }
    }

    /// The stream has ended: nothing waits any more.
    pub(super) fn finish(&mut self, watch: &mut dyn Watch, out: &mut BytesMut) {
        if watch.watches() {
            let rest = self.watcher.end(watch);
            self.events(&rest, watch, out);
        }
        self.end(|_| true, watch);
        self.queue.give(out);
    }

    /// Takes an event: it is looked at, and then restored.
    fn event(&mut self, event: &[u8], watch: &mut dyn Watch, out: &mut BytesMut) {
        let mut data = std::mem::replace(&mut self.data, Data::new(self.framing));
        data.read(event);
        let read = self.read(event, &data);
        if watch.watches() && !data.bytes(event).is_empty() {
            let action = match read {
                true => self.watcher.look(event, &self.event, &data, watch),
                false => Action::Before(self.watcher.end(watch)),
            };
            match action {
                Action::Pass => {}
                Action::Instead(events) => {
                    self.data = data;
                    return self.events(&events, watch, out);
                }
                Action::Before(events) if events.is_empty() => {}
                Action::Before(events) => {
                    self.events(&events, watch, out);
                    // What was read of this event has been read over.
                    self.read(event, &data);
                }
            }
        }
        self.pass(event, &data, read, watch);
        self.data = data;
        self.put(event, out);
    }

    /// Takes events that have been looked at.
    fn events(&mut self, events: &[Vec<u8>], restore: &mut dyn Restore, out: &mut BytesMut) {
        let mut data = Data::new(self.framing);
        for event in events {
            data.read(event);
            let read = self.read(event, &data);
            self.pass(event, &data, read, restore);
            self.put(event, out);
        }
    }

    /// Puts bytes behind those that wait.
    fn put(&mut self, bytes: &[u8], out: &mut BytesMut) {
        self.queue.put(bytes, out);
        if self.queue.is_full() {
            self.release(|_| true);
        }
        self.queue.give(out);
    }

    /// Reads an event; says whether its data are JSON.
    fn read(&mut self, event: &[u8], data: &Data) -> bool {
        let bytes = data.bytes(event);
        let (root, whole) = (self.grammar.event, mentions(event));
        let read = self.event.read(bytes, root, whole, &mut self.notes);
        read.is_ok()
    }

    /// Restores an event that has been read: edits it, those before it, or lets it wait.
    fn pass(&mut self, event: &[u8], data: &Data, read: bool, restore: &mut dyn Restore) {
        if data.bytes(event).is_empty() {
            // A comment.
        } else if read {
            self.strings(event, data, restore);
            self.ends(restore);
        } else {
            self.not_json(event, data, restore);
            self.end(|_| true, restore);
        }
    }

    /// Goes through the strings of an event.
    fn strings(&mut self, event: &[u8], data: &Data, restore: &mut dyn Restore) {
        let reading = (self.grammar.reading)(&self.event.kind);
        let strings = std::mem::take(&mut self.event.strings);
        for fragment in &strings {
            let Some(at) = data.place(&fragment.string.range) else {
                continue;
            };
            match fragment.delta {
                None => self.text(event, at, fragment.plain, restore),
                Some(_) if reading == Reading::Never => {}
                Some(key) => {
                    let plain = fragment.plain || reading == Reading::Plain;
                    self.delta(event, at, (key, plain), fragment, restore);
                }
            }
        }
        self.event.strings = strings;
    }

    /// Restores a string that is a text of its own.
    fn text(&mut self, event: &[u8], at: Range<usize>, plain: bool, restore: &mut dyn Restore) {
        let encoded = event.get(at.clone()).unwrap_or_default();
        if !mentions(encoded) {
            return;
        }
        let mut text = std::mem::take(&mut self.decoded);
        text.clear();
        decode(encoded, &mut text);
        let (all, _) = restored(&text, plain, &mut Lexer::default(), restore);
        for one in all {
            let inner = covering(encoded, one.range);
            let raw = at.start + inner.start..at.start + inner.end;
            let with = escape(&one.value, one.depth + 1);
            self.queue.edit(self.queue.current(), Edit { raw, with });
        }
        report(&text, restore);
        self.decoded = text;
    }

    /// Adds a delta to its text.
    fn delta(
        &mut self,
        event: &[u8],
        at: Range<usize>,
        (key, plain): (Key, bool),
        fragment: &Fragment,
        restore: &mut dyn Restore,
    ) {
        if self.grammar.one_at_a_time && self.tails > 0 {
            self.release(|other| other.index[0] == key.index[0] && *other != key);
        }
        if self.texts.len() >= MOST_TEXTS && !self.texts.contains_key(&key) {
            self.end(|_| true, restore);
        }
        let encoded = event.get(at.clone()).unwrap_or_default();
        let mut decoded = std::mem::take(&mut self.decoded);
        let text = match fragment.string.escaped {
            false => encoded,
            true => {
                decoded.clear();
                decode(encoded, &mut decoded);
                &decoded
            }
        };
        let growing = self.texts.entry(key).or_default();
        growing.plain = plain;
        let had_tail = growing.channel.held() > 0;
        let all = growing.channel.add(text, plain, restore);
        if had_tail || growing.channel.held() > 0 || !all.is_empty() {
            let part = Part {
                event: self.queue.current(),
                string: at,
                decoded: 0..text.len(),
            };
            self.tails -= usize::from(had_tail);
            self.tails += usize::from(growing.channel.held() > 0);
            growing.place(part, all, event, &mut self.queue);
        }
        self.decoded = decoded;
    }

    /// Ends the texts that the event says have ended.
    fn ends(&mut self, restore: &mut dyn Restore) {
        if !self.event.finished.is_empty() {
            let finished = std::mem::take(&mut self.event.finished);
            self.end(|key| finished.contains(&key.index[0]), restore);
            self.event.finished = finished;
        }
        if !self.event.kind.is_empty() && (self.grammar.ends)(&self.event.kind) {
            let group = self.event.group;
            self.end(|key| group.is_none_or(|g| g == key.index[0]), restore);
        }
    }

    /// Lets go of the tails of some texts, which go on.
    fn release(&mut self, which: impl Fn(&Key) -> bool) {
        for (_, growing) in self.texts.iter_mut().filter(|(key, _)| which(key)) {
            self.tails -= usize::from(growing.channel.held() > 0);
            growing.channel.release(growing.plain);
            growing.let_go(&mut self.queue);
        }
    }

    /// Ends some texts.
    fn end(&mut self, which: impl Fn(&Key) -> bool, restore: &mut dyn Restore) {
        for (_, mut growing) in self.texts.extract_if(|key, _| which(key)) {
            self.tails -= usize::from(growing.channel.held() > 0);
            growing.channel.end(restore);
            growing.let_go(&mut self.queue);
        }
    }

    /// Restores data that are not JSON.
    fn not_json(&mut self, event: &[u8], data: &Data, restore: &mut dyn Restore) {
        for line in data.lines() {
            let text = event.get(line.clone()).unwrap_or_default();
            if !mentions(text) {
                continue;
            }
            let (all, _) = restored(text, true, &mut Lexer::default(), restore);
            for one in all {
                let raw = line.start + one.range.start..line.start + one.range.end;
                let with = match self.framing {
                    Framing::Events => as_lines(&one.value),
                    Framing::Lines => one.value.to_vec(),
                };
                self.queue.edit(self.queue.current(), Edit { raw, with });
            }
            report(text, restore);
        }
    }
}

impl Growing {
    /// Makes the edits for what was restored when `last`, a part in `event`, came; and has the
    /// events wait that the text's tail is in now.
    fn place(&mut self, last: Part, all: Vec<Restored>, event: &[u8], queue: &mut Queue) {
        let current = last.event;
        let mut parts = std::mem::take(&mut self.tail);
        for part in &parts {
            queue.let_go(part.event);
        }
        parts.push(last);
        for one in all {
            let mut with = escape(&one.value, one.depth + 1);
            for part in cut(&parts, &one.range) {
                let bytes = match part.event == current {
                    true => Some(event),
                    false => queue.event(part.event),
                };
                let encoded = bytes.and_then(|b| b.get(part.string.clone()));
                let inner = covering(encoded.unwrap_or_default(), part.decoded);
                let raw = part.string.start + inner.start..part.string.start + inner.end;
                let with = std::mem::take(&mut with);
                queue.edit(part.event, Edit { raw, with });
            }
        }
        let len: usize = parts.iter().map(|p| p.decoded.len()).sum();
        self.tail = cut(&parts, &(len.saturating_sub(self.channel.held())..len)).collect();
        for part in &self.tail {
            queue.hold(part.event);
        }
    }

    fn let_go(&mut self, queue: &mut Queue) {
        for part in self.tail.drain(..) {
            queue.let_go(part.event);
        }
    }
}

/// The parts of a range that counts from the first part's start.
fn cut(parts: &[Part], range: &Range<usize>) -> impl Iterator<Item = Part> {
    let mut before = 0;
    parts.iter().filter_map(move |part| {
        let len = part.decoded.len();
        let start = range.start.clamp(before, before + len) - before;
        let end = range.end.clamp(before, before + len) - before;
        before += len;
        (start < end).then(|| Part {
            decoded: part.decoded.start + start..part.decoded.start + end,
            ..part.clone()
        })
    })
}

/// Whether there may be a placeholder in these bytes, whole or mangled.
fn mentions(bytes: &[u8]) -> bool {
    let has = |start: &[u8]| memchr::memmem::find(bytes, start).is_some();
    has(b"CG") || has(b"cg")
}

/// Reports the mangled placeholders of a text.
fn report(text: &[u8], restore: &mut dyn Restore) {
    for found in seal::find(text) {
        if let Match::Mangled { range } = found {
            restore.mangled(text.get(range).unwrap_or_default());
        }
    }
}
