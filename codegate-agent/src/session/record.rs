//! What is recorded. The serialised field names are a contract with users.

use std::{borrow::Cow, collections::BTreeSet};

use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};

use super::{Id, Process};
use crate::provider::Usage;

/// The longest text a record keeps, in bytes: model, path, message and the like.
const MAX_TEXT: usize = 512;
/// The most items a record keeps in one of its lists.
const MAX_ITEMS: usize = 256;

/// All exchanges of one process with one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its name.
    pub id: Id,
    /// When it began.
    pub started: Timestamp,
    /// Who called.
    pub process: Process,
    /// Whom it called.
    pub host: String,
    /// The family of dialects, as in the configuration.
    pub provider: String,
    /// The model named last.
    pub model: Option<String>,
    /// How many requests were made.
    pub exchanges: u64,
    /// How many different secrets were sealed.
    pub secrets: u64,
    /// How many different packages were found that are worth a warning.
    pub packages: u64,
    /// How many times personal data went out as it is, by policy.
    #[serde(default)]
    pub personal: u64,
    /// The worst that happened so far.
    pub verdict: Verdict,
    /// Bytes of request bodies as they were sent on.
    pub bytes_out: u64,
    /// Bytes of answer bodies as they came in.
    pub bytes_in: u64,
    /// When the last record was made.
    pub last: Timestamp,
    /// Tokens read, as the provider counted them.
    pub tokens_in: u64,
    /// Tokens written, as the provider counted them.
    pub tokens_out: u64,
    /// How many placeholders were restored.
    pub restored: u64,
    /// How many events were recorded.
    pub events: u64,
}

/// The worst that happened in a session, in rising order.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing was found.
    #[default]
    Clean,
    /// Secrets were sealed.
    Sealed,
    /// Something needs the user's eyes.
    Alert,
    /// Something was refused.
    Blocked,
}

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// When the request's head arrived.
    pub time: Timestamp,
    /// From the request's head to the answer's end, in microseconds.
    pub duration_us: u64,
    /// The method.
    pub method: String,
    /// The path.
    pub path: LoggedPath,
    /// The answer's status; `None` if there was no answer.
    pub status: Option<u16>,
    /// The dialect it was read as.
    pub dialect: String,
    /// The model that was asked or that answered.
    pub model: Option<String>,
    /// Tokens used.
    pub tokens: Tokens,
    /// Bytes of the request's body as it was sent on.
    pub bytes_out: u64,
    /// Bytes of the answer's body as it came in.
    pub bytes_in: u64,
    /// What was sealed in the request.
    pub sealed: Vec<Sealed>,
    /// How many placeholders were restored in the answer.
    pub restored: u64,
    /// How many times personal data went out as it is, by policy.
    #[serde(default)]
    pub personal: u64,
    /// The packages that are worth a warning.
    #[serde(default)]
    pub packages: Vec<NamedPackage>,
    /// What else happened.
    pub events: Vec<Event>,
}

/// Tokens, as the provider counted them; 0 where it did not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Read, cached ones included.
    pub input: u64,
    /// Written.
    pub output: u64,
    /// Of those read, how many came from the provider's cache.
    pub cached: u64,
}

/// A secret that was sealed, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The placeholder's KIND.
    pub kind: String,
    /// The rule that found it.
    pub rule: String,
    /// What stands in its place.
    pub placeholder: String,
    /// How often it stood in the request.
    pub count: u64,
}

/// A package that was named, and is worth a warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedPackage {
    /// Its package URL.
    pub purl: String,
    /// What is to be thought of it, as `codegate packages check` says it.
    pub verdict: String,
    /// How it was named: `install`, `manifest`, `import`, `url` or `prose`.
    pub context: String,
    /// Where it was named.
    pub place: PackagePlace,
    /// What was done about it.
    pub action: PackageAction,
    /// Why, for people.
    pub reasons: Vec<String>,
}

/// Where a package was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackagePlace {
    /// In what the model said.
    Answer,
    /// In a command that the model had a tool run.
    Command,
    /// In a file that the model had a tool write.
    File,
    /// In what was sent to the model: a manifest that a tool read, for one.
    Request,
}

/// What was done about a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageAction {
    /// It was recorded.
    Recorded,
    /// The answer tells of it.
    Told,
    /// The call that would have installed it was refused.
    Blocked,
}

/// Something worth telling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// How bad.
    pub level: Level,
    /// What, for programs: lower case words joined by `-`, such as `client-distrusts`.
    pub code: Cow<'static, str>,
    /// What, for people; never with a secret's value.
    pub message: String,
}

/// How bad an event is, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For the record.
    Info,
    /// Something did not go as it should; nothing leaked.
    Warn,
    /// The user should look.
    Alert,
    /// Something was refused.
    Block,
}

/// A path fit for a record: a query keeps its names and loses its values, which may be keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LoggedPath(String);

/// One line of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Entry {
    /// A request and its answer.
    Exchange(Exchange),
    /// Something that happened to a connection.
    Event(Event),
}

/// A session with all that is still known of it, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// The session.
    pub session: Session,
    /// Its entries.
    pub entries: Vec<Entry>,
}

/// A session after a new entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// The session, the entry counted in.
    pub session: Session,
    /// The entry.
    #[serde(flatten)]
    pub entry: Entry,
}

/// Who asks: what belongs to others is hidden from all but root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Viewer(u32);

/// The present, to the millisecond.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Millisecond).unwrap_or(now)
}

impl Viewer {
    /// The user with this id.
    pub fn new(uid: u32) -> Self {
        Self(uid)
    }

    /// The user's id.
    pub fn uid(self) -> u32 {
        self.0
    }

    /// Whether what belongs to `uid` is shown.
    pub fn sees(self, uid: u32) -> bool {
        self.0 == 0 || self.0 == uid
    }
}

impl Event {
    /// Something that happens now.
    pub fn new(level: Level, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            time: now(),
            level,
            code: Cow::Borrowed(code),
            message: message.into(),
        }
    }

    fn verdict(&self) -> Verdict {
        match self.level {
            Level::Info | Level::Warn => Verdict::Clean,
            Level::Alert => Verdict::Alert,
            Level::Block => Verdict::Blocked,
        }
    }
}

impl LoggedPath {
    /// From a request's path and query. Of the query only names in front of a `=` are kept, and
    /// only those that look like names.
    pub fn new(path_and_query: &str) -> Self {
        let target = path_and_query.split('#').next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let names: Vec<&str> = query
            .split('&')
            .filter_map(|pair| pair.split_once('=').map(|(name, _)| name))
            .filter(|name| is_name(name))
            .collect();
        let mut text = path.to_owned();
        if !names.is_empty() {
            text = format!("{path}?{}", names.join("&"));
        }
        truncate(&mut text);
        Self(text)
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'$');
    (1..=32).contains(&text.len()) && text.bytes().all(allowed)
}

impl Entry {
    /// The worst that this entry says.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Event(event) => event.verdict(),
            Self::Exchange(exchange) => {
                let sealed = if exchange.sealed.is_empty() {
                    Verdict::Clean
                } else {
                    Verdict::Sealed
                };
                let packages = exchange.packages.iter().map(NamedPackage::alarm);
                let events = exchange.events.iter().map(Event::verdict);
                packages.chain(events).fold(sealed, Verdict::max)
            }
        }
    }

    /// When it began.
    pub fn time(&self) -> Timestamp {
        match self {
            Self::Exchange(exchange) => exchange.time,
            Self::Event(event) => event.time,
        }
    }

    /// The different packages it warns of.
    pub(super) fn packages(&self) -> BTreeSet<&str> {
        match self {
            Self::Exchange(exchange) => exchange.packages.iter().map(|p| p.purl.as_str()).collect(),
            Self::Event(_) => BTreeSet::new(),
        }
    }

    /// The different placeholders it names.
    pub(super) fn placeholders(&self) -> BTreeSet<&str> {
        match self {
            Self::Exchange(exchange) => exchange
                .sealed
                .iter()
                .map(|s| s.placeholder.as_str())
                .collect(),
            Self::Event(_) => BTreeSet::new(),
        }
    }

    /// Cuts what a hostile peer could make long.
    pub(super) fn bound(&mut self) {
        match self {
            Self::Exchange(exchange) => exchange.bound(),
            Self::Event(event) => truncate(&mut event.message),
        }
    }
}

impl Exchange {
    fn bound(&mut self) {
        truncate(&mut self.method);
        self.model.iter_mut().for_each(truncate);
        self.sealed.truncate(MAX_ITEMS);
        self.packages.truncate(MAX_ITEMS);
        self.packages.iter_mut().for_each(NamedPackage::bound);
        self.events.truncate(MAX_ITEMS);
        self.events
            .iter_mut()
            .for_each(|event| truncate(&mut event.message));
    }
}

impl NamedPackage {
    /// The most reasons of one package.
    const MAX_REASONS: usize = 8;

    /// Packages that are only out of date need nobody's eyes at once.
    fn alarm(&self) -> Verdict {
        match (self.action, self.verdict.as_str()) {
            (PackageAction::Blocked, _) => Verdict::Blocked,
            (_, "malicious" | "suspicious" | "unknown") => Verdict::Alert,
            _ => Verdict::Clean,
        }
    }

    fn bound(&mut self) {
        truncate(&mut self.purl);
        self.reasons.truncate(Self::MAX_REASONS);
        self.reasons.iter_mut().for_each(truncate);
    }
}

impl Session {
    /// The session of a process and a host, before its first entry.
    pub(super) fn new(id: Id, started: Timestamp, process: Process, host: &str) -> Self {
        Self {
            id,
            started,
            process,
            host: host.to_owned(),
            provider: String::new(),
            model: None,
            exchanges: 0,
            secrets: 0,
            packages: 0,
            personal: 0,
            verdict: Verdict::Clean,
            bytes_out: 0,
            bytes_in: 0,
            last: started,
            tokens_in: 0,
            tokens_out: 0,
            restored: 0,
            events: 0,
        }
    }

    /// Counts an entry in; different secrets are counted by the store, which knows them all.
    pub(super) fn absorb(&mut self, entry: &Entry) {
        self.verdict = self.verdict.max(entry.verdict());
        self.last = self.last.max(now());
        match entry {
            Entry::Event(_) => self.events += 1,
            Entry::Exchange(exchange) => self.absorb_exchange(exchange),
        }
    }

    fn absorb_exchange(&mut self, exchange: &Exchange) {
        self.exchanges += 1;
        self.events += exchange.events.len() as u64;
        self.restored = self.restored.saturating_add(exchange.restored);
        self.personal = self.personal.saturating_add(exchange.personal);
        self.bytes_out = self.bytes_out.saturating_add(exchange.bytes_out);
        self.bytes_in = self.bytes_in.saturating_add(exchange.bytes_in);
        self.tokens_in = self.tokens_in.saturating_add(exchange.tokens.input);
        self.tokens_out = self.tokens_out.saturating_add(exchange.tokens.output);
        if exchange.model.is_some() {
            self.model.clone_from(&exchange.model);
        }
    }
}

impl From<Usage> for Tokens {
    fn from(usage: Usage) -> Self {
        Self {
            input: usage.input,
            output: usage.output,
            cached: usage.cached,
        }
    }
}

/// Cuts a text to what a record keeps, at a character's border.
fn truncate(text: &mut String) {
    if text.len() > MAX_TEXT {
        text.truncate(text.floor_char_boundary(MAX_TEXT));
        text.push('…');
    }
}
