//! The way of an answer's events past whoever looks at what they say, before placeholders in them
//! are restored.
//!
//! Knows: events, deltas, the calls and texts that they are of. Must not know: what is looked for, or
//! what is to be told about it.
//!
//! Texts go on as they come; what is to be told is put into the event that ends a paragraph or fence,
//! or into one like the text's last. The deltas of a call that may run something wait beside the
//! stream until the call is whole; all other events overtake them.

use std::{collections::HashMap, ops::Range};

use super::{
    Watch,
    call::{Call, State},
    event::{Event, Fragment, Key},
    numbers::Numbers,
    parked::{Parked, Waiting},
    parts::{self, Part},
    passage::{Passage, Print, Seen},
    sse::Data,
    stream::{Grammar, Role},
    tree::Tree,
};
use crate::span::{Edit, covering, decode, escape};

/// Texts and calls that are followed at a time.
const MOST: usize = 256;
/// Texts that are remembered because something was told in them.
const MOST_SEEN: usize = 64;

/// What becomes of an event.
pub(super) enum Action {
    /// It goes on as it is.
    Pass,
    /// These go on in its stead.
    Instead(Vec<Vec<u8>>),
    /// It goes on as it is, behind these.
    Before(Vec<Vec<u8>>),
}

/// Follows an answer.
pub(super) struct Watcher {
    grammar: &'static Grammar,
    texts: HashMap<Key, Text>,
    calls: HashMap<Key, Call>,
    /// The tools by the calls' places, for events that do not name them.
    tools: HashMap<[u64; 2], String>,
    parked: Parked,
    seen: Vec<(Print, Seen)>,
    numbers: Numbers,
    /// How many events have been looked at.
    events: u64,
}

/// A text, and its last event.
#[derive(Default)]
struct Text {
    passage: Passage,
    last: Waiting,
    /// Where the text's delta stands in it.
    delta: Range<usize>,
    /// Which event of the stream it is.
    place: u64,
}

/// The event that is being looked at.
struct Current<'a> {
    bytes: &'a [u8],
    read: &'a Event,
    data: &'a Data,
    /// Itself, though without its bytes.
    own: Waiting,
    /// Events that are to go before it.
    before: Vec<Waiting>,
    /// The calls that were judged: what their arguments are to be, if they are refused.
    judged: Vec<(Key, Option<Vec<u8>>)>,
}

impl Watcher {
    pub(super) fn new(grammar: &'static Grammar) -> Self {
        Self {
            grammar,
            texts: HashMap::new(),
            calls: HashMap::new(),
            tools: HashMap::new(),
            parked: Parked::default(),
            seen: Vec::new(),
            numbers: Numbers::default(),
            events: 0,
        }
    }

    /// Looks at an event that has been read.
    pub(super) fn look(
        &mut self,
        bytes: &[u8],
        read: &Event,
        data: &Data,
        watch: &mut dyn Watch,
    ) -> Action {
        self.events += 1;
        let mut current = Current::new(bytes, read, data);
        let ends = !read.kind.is_empty() && (self.grammar.ends)(&read.kind);
        self.whole_parts(ends, &mut current, watch);
        for fragment in &read.strings {
            self.fragment(fragment, &mut current, watch);
        }
        if ends || !read.finished.is_empty() {
            let group = |key: &Key| read.group.is_none_or(|group| group == key.index[0]);
            let which = |key: &Key| ends && group(key) || read.finished.contains(&key.index[0]);
            self.end_calls(which, &mut current.judged, watch);
            self.end_texts(which, Some(&mut current.own), &mut current.before, watch);
        }
        if ends && !self.seen.is_empty() {
            self.repeat(&mut current);
        }
        self.conclude(current)
    }

    /// Nothing waits any more: the stream has ended, or something came that is no JSON. Gives what
    /// goes on.
    pub(super) fn end(&mut self, watch: &mut dyn Watch) -> Vec<Vec<u8>> {
        let (mut judged, mut notices) = (Vec::new(), Vec::new());
        self.end_calls(|_| true, &mut judged, watch);
        for (key, instead) in judged {
            self.parked.decide(key, instead);
        }
        let mut events = self.parked.release();
        self.end_texts(|_| true, None, &mut notices, watch);
        self.numbers.displace(!notices.is_empty());
        events.extend(notices);
        self.give(events)
    }

    /// Notes the calls that begin, and looks at those that are whole in this event.
    fn whole_parts(&mut self, ends: bool, current: &mut Current<'_>, watch: &mut dyn Watch) {
        let data = current.data.bytes(current.bytes);
        let has = |word: &[u8]| memchr::memmem::find(data, word).is_some();
        if !(has(b"\"name\"") || ends && has(b"_call")) {
            return;
        }
        let Ok(tree) = Tree::read(data) else { return };
        for (place, name) in (self.grammar.begins)(tree.root()) {
            if self.tools.len() < MOST || self.tools.contains_key(&place) {
                self.tools.insert(place, name);
            }
        }
        for part in (self.grammar.repeats)(tree.root(), &self.tools) {
            if let Part::Call(call) = part {
                let edit = parts::judge(data, &call, watch);
                current.edit(edit);
            }
        }
    }

    /// A string of the event: a delta of a text or of a call, or neither.
    fn fragment(&mut self, fragment: &Fragment, current: &mut Current<'_>, watch: &mut dyn Watch) {
        let Some(key) = fragment.delta else { return };
        let role = (self.grammar.role)(&current.read.kind, key);
        if role == Role::Other {
            return;
        }
        let Some(at) = current.data.place(&fragment.string.range) else {
            return;
        };
        match role {
            Role::Text => self.text(key, at, current, watch),
            _ => self.call(key, role == Role::Input, at, current, watch),
        }
    }

    fn text(
        &mut self,
        key: Key,
        at: Range<usize>,
        current: &mut Current<'_>,
        watch: &mut dyn Watch,
    ) {
        if self.texts.len() >= MOST && !self.texts.contains_key(&key) {
            return;
        }
        let text = self.texts.entry(key).or_default();
        text.last.event.clear();
        text.last.event.extend_from_slice(current.bytes);
        text.last.number.clone_from(&current.own.number);
        text.delta = at.clone();
        text.place = self.events;
        let encoded = current.bytes.get(at.clone()).unwrap_or_default();
        for (place, notice) in text.passage.add(&decoded(encoded), watch) {
            let place = at.start + covering(encoded, place..place).start;
            current.own.insert(place, &notice);
        }
    }

    fn call(
        &mut self,
        key: Key,
        plain: bool,
        at: Range<usize>,
        current: &mut Current<'_>,
        watch: &mut dyn Watch,
    ) {
        if self.calls.len() >= MOST && !self.calls.contains_key(&key) {
            self.end_calls(|_| true, &mut current.judged, watch);
        }
        let name = self.tools.get(&key.index);
        if self.grammar.announced && name.is_none() {
            return;
        }
        let name = name.map_or("", String::as_str);
        let call = self
            .calls
            .entry(key)
            .or_insert_with(|| Call::new(name, plain));
        let encoded = current.bytes.get(at.clone()).unwrap_or_default();
        let waited = call.is_waiting();
        match call.add(decoded(encoded).as_bytes(), watch) {
            State::Waiting => current.own.strings.push((key, at)),
            State::Refused => current.own.edits.push(Edit {
                raw: at,
                with: Vec::new(),
            }),
            state @ (State::Passing | State::Done) => {
                if waited && state == State::Passing {
                    current.judged.push((key, None));
                }
                return Self::whole(call, key, current, watch);
            }
        }
        if call.is_too_long() || self.parked.is_full() {
            let reason = watch.unchecked();
            current.judged.push((key, call.unread(reason)));
        } else {
            Self::whole(call, key, current, watch);
        }
    }

    /// Judges a call as soon as its arguments are whole.
    fn whole(call: &mut Call, key: Key, current: &mut Current<'_>, watch: &mut dyn Watch) {
        if call.is_whole() {
            let instead = call.instead(watch);
            current.judged.push((key, call.judged(instead)));
        }
    }

    fn end_calls(
        &mut self,
        which: impl Fn(&Key) -> bool,
        judged: &mut Vec<(Key, Option<Vec<u8>>)>,
        watch: &mut dyn Watch,
    ) {
        for (key, mut call) in self.calls.extract_if(|key, _| which(key)) {
            let instead = call.instead(watch);
            if call.is_open() {
                judged.push((key, call.judged(instead)));
            }
        }
    }

    /// Ends texts; what is to be told goes into the event that is being looked at, if it has a delta
    /// of the text, or else into one of its own before it.
    fn end_texts(
        &mut self,
        which: impl Fn(&Key) -> bool,
        mut own: Option<&mut Waiting>,
        before: &mut Vec<Waiting>,
        watch: &mut dyn Watch,
    ) {
        for (_, mut text) in self.texts.extract_if(|key, _| which(key)) {
            if let Some(notice) = text.passage.finish(watch) {
                match own.as_mut().filter(|_| text.place == self.events) {
                    Some(own) => own.insert(text.delta.end, &notice),
                    None => before.push(text.notice(&notice)),
                }
            }
            if self.grammar.repeating && self.seen.len() < MOST_SEEN {
                let seen = text.passage.into_seen();
                self.seen.extend(seen.map(|seen| (seen.print(), seen)));
            }
        }
    }

    /// What repeats a text repeats what was told in it.
    fn repeat(&mut self, current: &mut Current<'_>) {
        let data = current.data.bytes(current.bytes);
        let Ok(tree) = Tree::read(data) else { return };
        for part in (self.grammar.repeats)(tree.root(), &self.tools) {
            let Part::Text(view) = part else { continue };
            let print = Print::of(&view.text().unwrap_or_default());
            let known = self.seen.iter().find(|(known, _)| *known == print);
            for (place, notice) in known.iter().flat_map(|(_, seen)| seen.told()) {
                let edit = parts::insertion(data, view, *place, notice);
                current.edit(Some(edit));
            }
        }
    }

    /// Puts together what goes on.
    fn conclude(&mut self, current: Current<'_>) -> Action {
        let Current {
            bytes,
            own,
            before,
            judged,
            ..
        } = current;
        self.numbers.displace(!before.is_empty());
        let mut events = before;
        let waits = !own.strings.is_empty();
        if waits || !self.parked.is_empty() {
            let event = bytes.to_vec();
            let own = Waiting { event, ..own };
            return self.conclude_beside(own, waits, judged, events);
        }
        if events.is_empty() && own.edits.is_empty() && self.numbers.agree(bytes, &own.number) {
            return Action::Pass;
        }
        let event = bytes.to_vec();
        events.push(Waiting { event, ..own });
        Action::Instead(self.give(events))
    }

    /// The same, where there are calls that wait.
    fn conclude_beside(
        &mut self,
        own: Waiting,
        waits: bool,
        judged: Vec<(Key, Option<Vec<u8>>)>,
        mut events: Vec<Waiting>,
    ) -> Action {
        let mut after = None;
        match waits {
            true => self.parked.put(own),
            false => after = Some(own),
        }
        for (key, instead) in judged {
            self.parked.decide(key, instead);
        }
        events.extend(self.parked.release());
        self.numbers
            .displace(after.is_some() && !self.parked.is_empty());
        events.extend(after);
        Action::Instead(self.give(events))
    }

    fn give(&mut self, events: Vec<Waiting>) -> Vec<Vec<u8>> {
        events
            .into_iter()
            .map(|event| self.numbers.give(event))
            .collect()
    }
}

impl<'a> Current<'a> {
    fn new(bytes: &'a [u8], read: &'a Event, data: &'a Data) -> Self {
        let number = read.number.as_ref().and_then(|at| data.place(at));
        Self {
            bytes,
            read,
            data,
            own: Waiting {
                number,
                ..Waiting::default()
            },
            before: Vec::new(),
            judged: Vec::new(),
        }
    }

    /// Takes an edit of the event's data.
    fn edit(&mut self, edit: Option<Edit>) {
        let placed = edit.and_then(|Edit { raw, with }| {
            let raw = self.data.place(&raw)?;
            Some(Edit { raw, with })
        });
        self.own.edits.extend(placed);
    }
}

impl Text {
    /// An event like the text's last that tells something.
    fn notice(&mut self, notice: &str) -> Waiting {
        let with = escape(notice.as_bytes(), 1);
        let raw = self.delta.clone();
        Waiting {
            edits: vec![Edit { raw, with }],
            ..std::mem::take(&mut self.last)
        }
    }
}

impl Waiting {
    /// Puts something into a string of the event.
    fn insert(&mut self, at: usize, notice: &str) {
        let with = escape(notice.as_bytes(), 1);
        self.edits.push(Edit { raw: at..at, with });
    }
}

fn decoded(encoded: &[u8]) -> String {
    let mut text = Vec::with_capacity(encoded.len());
    decode(encoded, &mut text);
    String::from_utf8(text).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}
