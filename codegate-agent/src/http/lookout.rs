//! What one exchange says about packages: each is judged, told of once, and recorded.
//!
//! Knows: the catalogue, the policy. Must not know: dialects, where in an answer something stands.

use std::{collections::BTreeMap, sync::Arc};

use super::notice;
use crate::{
    inspect::packages::{
        Catalogue, Judgement, Live, Purl, Severity,
        extract::{self, Context, Mention},
    },
    session::{NamedPackage, PackageAction, PackagePlace},
};

/// What is done about packages, and what is known of them.
pub struct PackageGuard {
    /// What is known.
    pub live: Arc<Live>,
    /// Whether calls are refused that would install what is proven bad.
    pub block: bool,
    /// Whether answers tell of packages that are worth a warning.
    pub notices: bool,
}

/// The packages of one exchange.
pub(super) struct Lookout {
    catalogue: Arc<Catalogue>,
    block: bool,
    notices: bool,
    /// What the conversation was told already: packages, and the word for what is thought of them.
    told: BTreeMap<String, String>,
    found: Vec<NamedPackage>,
}

/// A package that is worth a warning.
struct Found {
    purl: Purl,
    judgement: Judgement,
    context: Context,
    severity: Severity,
}

impl Lookout {
    pub(super) fn new(guard: &PackageGuard) -> Self {
        Self {
            catalogue: guard.live.current(),
            block: guard.block,
            notices: guard.notices,
            told: BTreeMap::new(),
            found: Vec::new(),
        }
    }

    /// The conversation has been told of this package.
    pub(super) fn was_told(&mut self, purl: &str, word: &str) {
        let package = purl.parse::<Purl>().map(without_version);
        self.told
            .extend(package.map(|package| (package, word.to_owned())));
    }

    /// What was found, for the record.
    pub(super) fn into_found(self) -> Vec<NamedPackage> {
        self.found
    }

    /// A piece of what the model says: the texts of the notices that belong behind it.
    pub(super) fn passage(&mut self, markdown: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for found in self.judged(extract::markdown(markdown)) {
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
        for found in self.judged(extract::command(command)) {
            let blocked = self.block && found.severity == Severity::Block;
            let action = match blocked {
                true => PackageAction::Blocked,
                false => PackageAction::Recorded,
            };
            if blocked && refusal.is_none() {
                refusal = Some(notice::refusal(&found.purl, &found.judgement));
            }
            self.record(found, PackagePlace::Command, action);
        }
        refusal
    }

    /// A file that a tool is to write.
    pub(super) fn file(&mut self, name: &str, content: &str) {
        for found in self.judged(extract::file(name, content.as_bytes())) {
            self.record(found, PackagePlace::File, PackageAction::Recorded);
        }
    }

    /// Whether a call that cannot be looked at may be made all the same.
    pub(super) fn passes_unchecked(&self) -> bool {
        !self.block
    }

    fn judged(&self, mentions: Vec<Mention>) -> Vec<Found> {
        let judge = |Mention { purl, context, .. }| {
            let judgement = self.catalogue.check(&purl);
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
