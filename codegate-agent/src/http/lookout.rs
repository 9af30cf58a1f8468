//! What one exchange says about packages: each is judged, told of once, and recorded.
//!
//! Knows: the catalogue, the policy. Must not know: dialects, where in an answer something stands.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    notice,
    refused::Refused,
    seen::Seen,
    told::{Told, Words},
};
use crate::{
    inspect::packages::{
        Catalogue, Judgement, Live, Purl, Severity, Verdict,
        extract::{self, Context, Mention},
    },
    provider::Request,
    session::{NamedPackage, PackageAction, PackagePlace},
};

/// Notices that are told behind one text, at most, of what is not in it.
const MOST_AT_ONCE: usize = 5;
/// Conversations that something is still to be told, at most.
const MOST_UNTOLD: usize = 1024;

/// What is done about packages, and what is known of them.
pub struct PackageGuard {
    /// What is known.
    pub live: Arc<Live>,
    /// Whether calls are refused that would install what is proven bad.
    pub block: bool,
    /// Whether answers tell of packages that are worth a warning.
    pub notices: bool,
    /// What was read of requests, and what was found there.
    seen: Seen,
    /// What conversations were told that the service remembers.
    remembered: Told,
    /// The commands that were refused.
    pub(super) refused: Refused,
    /// What is still to be told, by conversation: the answer that it was found in had no place for it.
    untold: Mutex<HashMap<u64, Vec<String>>>,
}

/// What a request says about packages.
#[derive(Default)]
pub(super) struct Requested {
    /// Which conversation it is part of.
    conversation: u64,
    /// What that was told, if the request does not say so itself.
    told: Arc<Words>,
    found: Vec<Found>,
}

/// The packages of one exchange.
pub(super) struct Lookout {
    catalogue: Arc<Catalogue>,
    block: bool,
    notices: bool,
    /// What the conversation was told already: packages, and the word for what is thought of them.
    told: Words,
    /// What is to be told behind the next text that ends.
    untold: Vec<String>,
    conversation: u64,
    found: Vec<NamedPackage>,
}

/// A package that is worth a warning.
struct Found {
    purl: Purl,
    judgement: Judgement,
    context: Context,
    severity: Severity,
}

impl PackageGuard {
    /// With what is known, and what is to be done about it.
    pub fn new(live: Arc<Live>, block: bool, notices: bool) -> Self {
        Self {
            live,
            block,
            notices,
            seen: Seen::default(),
            remembered: Told::default(),
            refused: Refused::default(),
            untold: Mutex::default(),
        }
    }

    /// What a conversation is still to be told.
    fn take_untold(&self, conversation: u64) -> Vec<String> {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        untold.remove(&conversation).unwrap_or_default()
    }

    /// Keeps what an answer had no place for.
    fn put_untold(&self, conversation: u64, texts: Vec<String>) {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        if untold.len() >= MOST_UNTOLD {
            untold.clear();
        }
        untold.insert(conversation, texts);
    }

    /// What the manifests and lock files in a request list that was not found in this conversation of
    /// `caller` before. A text that was looked at is not looked at again.
    pub(super) fn requested(&self, caller: (u32, u32), request: &Request) -> Requested {
        let catalogue = self.live.current();
        let pieces = request.text.pieces();
        let opening = pieces.get(request.opening.unwrap_or_default());
        let opening = opening.map(|piece| request.text.piece_bytes(piece));
        let follows = request.follows.as_deref();
        let known = follows.and_then(|answer| self.remembered.get(caller.0, answer));
        let (conversation, told) = match known {
            Some(known) => (known.print, known.told),
            None => (self.seen.print((caller, opening)), Arc::default()),
        };
        let texts = pieces.iter().map(|piece| request.text.piece_bytes(piece));
        let texts = texts.chain(request.documents.iter().map(Vec::as_slice));
        let mut found = Vec::new();
        for text in texts.filter(|text| extract::may_list(text)) {
            if let Ok(text) = str::from_utf8(text)
                && self.seen.is_new((conversation, text))
            {
                found.extend(judged(&catalogue, extract::shown(text)));
            }
        }
        found.retain(|found| self.seen.is_new((conversation, &found.purl)));
        Requested {
            conversation,
            told,
            found,
        }
    }
}

impl Lookout {
    pub(super) fn new(guard: &PackageGuard) -> Self {
        Self {
            catalogue: guard.live.current(),
            block: guard.block,
            notices: guard.notices,
            told: Words::new(),
            untold: Vec::new(),
            conversation: 0,
            found: Vec::new(),
        }
    }

    /// The conversation has been told of this package.
    pub(super) fn was_told(&mut self, purl: &str, word: &str) {
        let package = purl.parse::<Purl>().map(without_version);
        self.told
            .extend(package.map(|package| (package, word.to_owned())));
    }

    /// The answer is called this: a request that goes on from it need not be told again.
    pub(super) fn answered(&self, guard: &PackageGuard, uid: u32, answer: &str) {
        let told = self.told.clone();
        guard.remembered.put(uid, answer, self.conversation, told);
    }

    /// What was found, for the record. What could not be told is left for the conversation's next
    /// answer.
    pub(super) fn into_found(self, guard: &PackageGuard) -> Vec<NamedPackage> {
        if !self.untold.is_empty() {
            guard.put_untold(self.conversation, self.untold);
        }
        self.found
    }

    /// The texts of the notices that belong behind a text which has ended.
    pub(super) fn closing(&mut self) -> Vec<String> {
        std::mem::take(&mut self.untold)
    }

    /// A piece of what the model says: the texts of the notices that belong behind it.
    pub(super) fn passage(&mut self, markdown: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for found in judged(&self.catalogue, extract::markdown(markdown)) {
            let text = self.tell(&found);
            let action = match text {
                Some(_) => PackageAction::Told,
                None => PackageAction::Recorded,
            };
            texts.extend(text);
            self.record(found, PackagePlace::Answer, action);
        }
        texts
    }

    /// A command that a tool is to run: why it must not.
    pub(super) fn command(&mut self, command: &str) -> Option<String> {
        let mut refusal = None;
        for found in judged(&self.catalogue, extract::command(command)) {
            let blocked = self.block && found.severity == Severity::Block;
            let action = match blocked {
                true => PackageAction::Blocked,
                false => PackageAction::Recorded,
            };
            match blocked {
                true if refusal.is_none() => {
                    refusal = Some(notice::refusal(&found.purl, &found.judgement));
                }
                // What is refused says so itself.
                true => {}
                false => self.tell_later(&found),
            }
            self.record(found, PackagePlace::Command, action);
        }
        refusal
    }

    /// Whether a call that writes a file of this name must not go on before it has been looked at.
    pub(super) fn guards(&self, name: &str) -> bool {
        self.block && extract::is_manifest(name)
    }

    /// A file that a tool is to write, or (if not `whole`) what is added to it: why it must not be
    /// written. That is so if the next installation would fetch what is known to be malicious; what
    /// does not exist cannot be fetched, and may be the user's own.
    pub(super) fn file(&mut self, name: &str, content: &str, whole: bool) -> Option<String> {
        let mut mentions = extract::file(name, content.as_bytes());
        let guards = self.guards(name);
        if !whole && extract::is_manifest(name) {
            mentions.extend(added(name, content));
        }
        let mut refusal = None;
        for found in judged(&self.catalogue, mentions) {
            let blocked = guards
                && found.severity == Severity::Block
                && found.judgement.verdict == Verdict::Malicious;
            // Not every tool shows the name of a file that cannot be written.
            self.tell_later(&found);
            let action = match blocked {
                true => PackageAction::Blocked,
                false => PackageAction::Recorded,
            };
            if blocked && refusal.is_none() {
                refusal = Some(notice::refused_file(&found.purl));
            }
            self.record(found, PackagePlace::File, action);
        }
        refusal
    }

    /// Whether a call that cannot be looked at may be made all the same.
    pub(super) fn passes_unchecked(&self) -> bool {
        !self.block
    }

    /// What was found in the request.
    pub(super) fn requested(&mut self, guard: &PackageGuard, requested: Requested) {
        self.conversation = requested.conversation;
        let told = requested.told.iter();
        self.told
            .extend(told.map(|(purl, word)| (purl.clone(), word.clone())));
        self.untold = guard.take_untold(requested.conversation);
        for found in requested.found {
            self.tell_later(&found);
            self.record(found, PackagePlace::Request, PackageAction::Recorded);
        }
    }

    /// The text of a notice, unless the conversation has been told.
    fn tell(&mut self, found: &Found) -> Option<String> {
        let word = found.judgement.verdict.as_str();
        let package = without_version(found.purl.clone());
        let known = self.told.get(&package);
        if !self.notices || known.is_some_and(|known| known == word) {
            return None;
        }
        self.told.insert(package, word.to_owned());
        Some(notice::text(&found.purl, &found.judgement))
    }

    /// Has a package told of behind the next text that ends; only what may do harm, and not all of a
    /// lock file that is full of it.
    fn tell_later(&mut self, found: &Found) {
        let harm = matches!(
            found.judgement.verdict,
            Verdict::Malicious | Verdict::Suspicious | Verdict::Unknown
        );
        if harm && self.untold.len() < MOST_AT_ONCE {
            let text = self.tell(found);
            self.untold.extend(text);
        }
    }

    /// Each package once, with the most that was done about it.
    fn record(&mut self, found: Found, place: PackagePlace, action: PackageAction) {
        let purl = found.purl.to_string();
        if let Some(known) = self.found.iter_mut().find(|known| known.purl == purl) {
            known.action = known.action.max(action);
            return;
        }
        self.found.push(NamedPackage {
            purl,
            verdict: found.judgement.verdict.as_str().to_owned(),
            context: found.context.as_str().to_owned(),
            place,
            action,
            reasons: found.judgement.reasons,
        });
    }
}

/// The conversation is told of a package, not of each of its versions.
fn without_version(purl: Purl) -> String {
    Purl {
        version: None,
        ..purl
    }
    .to_string()
}

/// The packages in lines that are added to a manifest, whatever stands around them there.
fn added(name: &str, lines: &str) -> Vec<Mention> {
    let lines = lines.lines().map(|line| format!("+{line}\n"));
    let patch: String = std::iter::once(format!("+++ {name}\n"))
        .chain(lines)
        .collect();
    extract::file("x.patch", patch.as_bytes())
}

fn judged(catalogue: &Catalogue, mentions: Vec<Mention>) -> Vec<Found> {
    let judge = |Mention { purl, context, .. }| {
        let judgement = catalogue.check(&purl);
        let severity = judgement.severity(context);
        (severity > Severity::Ok).then_some(Found {
            purl,
            judgement,
            context,
            severity,
        })
    };
    mentions.into_iter().filter_map(judge).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests;
