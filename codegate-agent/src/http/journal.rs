//! What happens in one exchange, gathered on its way and recorded when it is over, however it ends.
//!
//! Knows: counts, placeholders, the user's vault. Must not keep: a value in clear.

use std::{collections::BTreeMap, fmt::Display, ops::Range, sync::Arc, time::Instant};

use http::{Method, StatusCode, Uri};
use zeroize::Zeroizing;

use super::{
    Connection,
    lookout::{Lookout, Requested},
    notice::{self, Notice},
    request::Unreadable,
};
use crate::{
    inspect::{Finding, Kind},
    provider::{Request as Reading, Restore, Route, Usage, Watch},
    seal::Placeholder,
    session::{self, Event, Exchange, Level, LoggedPath, Sealed, Tokens},
};

/// Records its exchange when it is dropped: with the answer's body, or before there is one.
pub(super) struct Journal {
    connection: Arc<Connection>,
    begun: Instant,
    exchange: Exchange,
    /// Where prompts go, answers are looked at.
    lookout: Option<Lookout>,
    /// Whether the answer came to its end.
    done: bool,
    mangled: bool,
}

impl Journal {
    /// A request's head has arrived.
    pub(super) fn begin(
        connection: Arc<Connection>,
        route: Route,
        method: &Method,
        uri: &Uri,
    ) -> Self {
        let path = uri
            .path_and_query()
            .map_or_else(|| uri.path(), |p| p.as_str());
        let exchange = Exchange {
            time: session::now(),
            duration_us: 0,
            method: method.to_string(),
            path: LoggedPath::new(path),
            status: None,
            dialect: route.dialect.name().to_owned(),
            model: None,
            tokens: Tokens::default(),
            bytes_out: 0,
            bytes_in: 0,
            sealed: Vec::new(),
            restored: 0,
            personal: 0,
            packages: Vec::new(),
            events: Vec::new(),
        };
        let lookout = route
            .inference
            .then(|| Lookout::new(&connection.guard.packages));
        Self {
            connection,
            begun: Instant::now(),
            exchange,
            lookout,
            done: false,
            mangled: false,
        }
    }

    /// The request's body has been read.
    pub(super) fn reading(&mut self, reading: &Reading) {
        self.exchange.model.clone_from(&reading.model);
    }

    /// Packages that the request lists.
    pub(super) fn packages(&mut self, requested: Requested) {
        if let Some(lookout) = &mut self.lookout {
            lookout.requested(&self.connection.guard.packages, requested);
        }
    }

    /// Notices as they stand in an answer.
    fn written(&self, texts: Vec<String>) -> Option<String> {
        let (vault, uid) = (
            &self.connection.guard.vault,
            self.connection.flow.process.uid,
        );
        let marked = |text: String| {
            let mark = vault.mark(uid, text.as_bytes()).ok()?;
            Some(notice::written(&text, &mark))
        };
        let notices: String = texts.into_iter().filter_map(marked).collect();
        (!notices.is_empty()).then_some(notices)
    }

    /// The notices of ours that came back in a text. The conversation has been told of these
    /// packages.
    pub(super) fn notices(&mut self, text: &[u8]) -> Vec<Range<usize>> {
        let Some(lookout) = &mut self.lookout else {
            return Vec::new();
        };
        let (vault, uid) = (
            &self.connection.guard.vault,
            self.connection.flow.process.uid,
        );
        let found = notice::find(text, |note| vault.mark(uid, note.as_bytes()).ok());
        for (purl, word) in found.iter().filter_map(Notice::subject) {
            lookout.was_told(purl, word);
        }
        found.into_iter().map(|notice| notice.range).collect()
    }

    /// A secret was sealed at one place of the body.
    pub(super) fn sealed(&mut self, rule: &str, placeholder: &Placeholder) {
        let (kind, placeholder) = (placeholder.kind.to_string(), placeholder.to_string());
        let sealed = &mut self.exchange.sealed;
        match sealed.iter_mut().find(|s| s.placeholder == placeholder) {
            Some(known) => known.count += 1,
            None => sealed.push(Sealed {
                kind,
                rule: rule.to_owned(),
                placeholder,
                count: 1,
            }),
        }
    }

    /// Personal data that goes out as it is, by policy.
    pub(super) fn personal<'a>(&mut self, findings: impl Iterator<Item = &'a Finding>) {
        let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
        for finding in findings {
            *counts.entry(finding.kind).or_default() += 1;
        }
        self.exchange.personal += counts.values().sum::<usize>() as u64;
        if !counts.is_empty() {
            let counts = counts.iter().map(|(kind, count)| format!("{count} {kind}"));
            let list = counts.collect::<Vec<_>>().join(", ");
            let message = format!("personal data went out as it is: {list}");
            self.note(Level::Info, "personal-data", message);
        }
    }

    /// The request's body goes out with this many bytes.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.exchange.bytes_out += bytes as u64;
    }

    /// The request's body could not be inspected.
    pub(super) fn unscanned(&mut self, why: &Unreadable) {
        let message = format!("the request body cannot be inspected: {why}");
        self.note(Level::Alert, "unscannable", message);
    }

    /// The guard itself answered.
    pub(super) fn refused(&mut self, status: StatusCode, message: &str) {
        self.answered(status);
        self.done = true;
        self.note(Level::Block, "blocked", message);
    }

    /// The answer's head has arrived.
    pub(super) fn answered(&mut self, status: StatusCode) {
        self.exchange.status = Some(status.as_u16());
    }

    /// This many bytes of the answer's body have arrived.
    pub(super) fn received(&mut self, bytes: usize) {
        self.exchange.bytes_in += bytes as u64;
    }

    /// What the answer said of itself.
    pub(super) fn used(&mut self, model: Option<&str>, usage: Usage) {
        self.exchange.tokens = usage.into();
        if let Some(model) = model {
            self.exchange.model = Some(model.to_owned());
        }
    }

    /// The answer is passed on as it came.
    pub(super) fn unrestored(&mut self, why: &dyn Display) {
        self.note(
            Level::Warn,
            "unrestored",
            format!("the answer was passed on as it came: {why}"),
        );
    }

    /// A connection broke, or a body did.
    pub(super) fn broke(&mut self, why: &dyn Display) {
        self.done = true;
        self.note(
            Level::Warn,
            "broken",
            format!("the exchange broke off: {why}"),
        );
    }

    /// The answer came to its end.
    pub(super) fn done(&mut self) {
        self.done = true;
    }

    /// What the answer is called, where a request may go on from it. What is told from now on is not
    /// remembered.
    pub(super) fn called(&self, answer: Option<&str>) {
        if let (Some(lookout), Some(answer)) = (&self.lookout, answer) {
            let Connection { guard, flow, .. } = &*self.connection;
            lookout.answered(&guard.packages, flow.process.uid, answer);
        }
    }

    fn note(&mut self, level: Level, code: &'static str, message: impl Into<String>) {
        self.exchange.events.push(Event::new(level, code, message));
    }
}

impl Restore for Journal {
    fn value(&mut self, placeholder: &Placeholder) -> Option<Zeroizing<Vec<u8>>> {
        let uid = self.connection.flow.process.uid;
        match self.connection.guard.vault.restore(uid, placeholder) {
            Ok(value) => {
                self.exchange.restored += u64::from(value.is_some());
                value
            }
            Err(error) => {
                let message = format!("{placeholder} could not be restored: {error}");
                self.note(Level::Alert, "vault", message);
                None
            }
        }
    }

    fn mangled(&mut self, text: &[u8]) {
        // One alert an exchange: a model that alters a placeholder does it again and again.
        if std::mem::replace(&mut self.mangled, true) {
            return;
        }
        let text = String::from_utf8_lossy(text);
        let message = format!("the model altered a placeholder: {text}; it was not restored");
        self.note(Level::Alert, "mangled-placeholder", message);
    }
}

impl Watch for Journal {
    fn watches(&self) -> bool {
        self.lookout.is_some()
    }

    fn passage(&mut self, markdown: &str) -> Option<String> {
        let texts = self.lookout.as_mut()?.passage(markdown);
        self.written(texts)
    }

    fn closing(&mut self) -> Option<String> {
        let texts = self.lookout.as_mut()?.closing();
        self.written(texts)
    }

    fn command(&mut self, command: &str) -> Option<String> {
        self.lookout.as_mut()?.command(command)
    }

    fn replaced(
        &mut self,
        original: &str,
        reason: &str,
        written: &dyn Fn(&str) -> String,
    ) -> String {
        let Connection { guard, flow, .. } = &*self.connection;
        let uid = flow.process.uid;
        // The same command gives the same mark, wherever it is repeated.
        let Ok(mark) = guard
            .vault
            .mark(uid, format!("{reason}\0{original}").as_bytes())
        else {
            return written(reason);
        };
        let written = written(&notice::marked(reason, &mark));
        guard.packages.refused.put(uid, &mark, &written, original);
        written
    }

    fn guards(&self, name: &str) -> bool {
        let lookout = self.lookout.as_ref();
        lookout.is_some_and(|lookout| lookout.guards(name))
    }

    fn file(&mut self, name: &str, content: &str, whole: bool) -> Option<String> {
        self.lookout.as_mut()?.file(name, content, whole)
    }

    fn unchecked(&mut self) -> Option<String> {
        let passes = self.lookout.as_ref().is_none_or(Lookout::passes_unchecked);
        let (level, what) = match passes {
            true => (Level::Alert, "went on unchecked"),
            false => (Level::Block, "was blocked"),
        };
        let message = format!("a tool call too long to be checked for packages {what}");
        self.note(level, "unchecked-call", message);
        (!passes).then(|| "CodeGate blocked this call: it is too long to be checked".to_owned())
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let packages = &self.connection.guard.packages;
        let lookout = self.lookout.take();
        self.exchange.packages = lookout.map_or(Vec::new(), |l| l.into_found(packages));
        if !self.done {
            self.note(
                Level::Info,
                "cancelled",
                "the client went away before the end",
            );
        }
        let Connection {
            guard,
            flow,
            host,
            provider,
            in_clear: _,
            running: _,
        } = &*self.connection;
        self.exchange.duration_us = self
            .begun
            .elapsed()
            .as_micros()
            .try_into()
            .unwrap_or(u64::MAX);
        guard
            .recorder
            .exchange(flow, host, provider, self.exchange.clone());
    }
}
