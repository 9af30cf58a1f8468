//! What a script calls by a name of its own: `PKG=x; pip install $PKG`.
//!
//! Only what is written out is known: what a program says, or the caller gives, is not.

use std::collections::HashMap;

use crate::inspect::packages::extract::{
    pattern::patterns,
    place::{Placed, within},
};

patterns! {
    REFERENCE = r"\$\{(?:env:)?(\w+)(?:\[[@*]\])?\}|\$(?:env:)?(\w+)|%%(\w)|%(\w+)%";
}

/// A script has no more names, and a name no more words, than anybody would write.
const MOST: usize = 200;

/// The names of a script, and the words that each stands for.
#[derive(Debug, Default)]
pub(super) struct Variables {
    values: HashMap<String, Vec<Placed>>,
    /// A loop whose words come in the next command: `for %%p in (a b) do …`.
    pending: Option<String>,
}

impl Variables {
    /// Learns what a command sets.
    pub(super) fn learn(&mut self, words: &[Placed]) {
        if let Some(name) = self.pending.take() {
            return self.set(&name, words.to_vec());
        }
        let texts: Vec<&str> = words.iter().map(Placed::text).collect();
        match texts.as_slice() {
            ["for" | "foreach", name, "in"] => self.pending = Some(bare(name)),
            ["for" | "do" | "then", name, "in", ..] => self.set(&bare(name), rest(words, 3)),
            [name, "in", list] if name.starts_with('$') => {
                let list = words.get(2).map(|_| *list);
                let items = list.and(words.get(2)).map(|word| word.split(|c| c == ','));
                self.set(&bare(name), items.unwrap_or_default());
            }
            // PowerShell: `$names = @('a', 'b')`.
            [name, "=", ..] if name.starts_with('$') => {
                let name = name.trim_start_matches("$env:").trim_start_matches('$');
                let words = words.iter().skip(2).filter(|word| word.text() != "@");
                let words = words.flat_map(|word| word.split(|c| c == ',')).collect();
                self.set(name, words);
            }
            ["set", name, _, ..] if is_name(name) => self.set(name, rest(words, 2)),
            _ => self.assigned(words),
        }
    }

    /// `NAME=value`, one or several, perhaps exported.
    fn assigned(&mut self, words: &[Placed]) {
        const SETTERS: [&str; 9] = [
            "export", "local", "declare", "readonly", "typeset", "set", "SET", "ENV", "ARG",
        ];
        let mut words = words;
        if let Some((first, after)) = words.split_first()
            && SETTERS.contains(&first.text())
        {
            words = after;
        }
        let mut words = words.iter().skip_while(|word| word.text().starts_with('-'));
        let Some((word, at)) = words
            .next()
            .and_then(|word| Some((word, word.text().find('=')?)))
        else {
            return;
        };
        let name = word.text().get(..at).unwrap_or_default();
        if !is_name(name) {
            return;
        }
        let value = word.slice(at + 1..word.text().len());
        let array = value.text().is_empty();
        self.set(name, value.split(char::is_whitespace));
        if array {
            self.set(name, words.cloned().collect());
        }
    }

    fn set(&mut self, name: &str, words: Vec<Placed>) {
        if self.values.len() < MOST && words.len() < MOST && !name.is_empty() {
            let words = self.expand(words);
            let words = words
                .iter()
                .flat_map(|word| word.split(char::is_whitespace));
            let words = words.collect();
            self.values.insert(name.to_owned(), words);
        }
    }

    /// The words with what its names stand for.
    pub(super) fn expand(&self, words: Vec<Placed>) -> Vec<Placed> {
        let refers = |word: &Placed| word.text().contains(['$', '%']);
        if self.values.is_empty() || !words.iter().any(refers) {
            return words;
        }
        let mut out = Vec::with_capacity(words.len());
        for word in words {
            match self.whole(&word) {
                Some(value) if out.len() < MOST => out.extend_from_slice(value),
                _ if refers(&word) => out.push(self.filled(&word)),
                _ => out.push(word),
            }
        }
        out
    }

    /// What a word stands for that is nothing but a name.
    fn whole(&self, word: &Placed) -> Option<&[Placed]> {
        let found = REFERENCE.first(word.text())?;
        let whole = found
            .get(0)
            .is_some_and(|all| all.len() == word.text().len());
        let name = found.iter().skip(1).flatten().next()?;
        self.values
            .get(name.as_str())
            .filter(|_| whole)
            .map(Vec::as_slice)
    }

    /// A word with the values of the names in it.
    fn filled(&self, word: &Placed) -> Placed {
        let mut out = Placed::default().spanning(word.range());
        let mut at = 0;
        for found in REFERENCE.all(word.text()) {
            let (Some(all), Some(name)) = (found.get(0), found.iter().skip(1).flatten().next())
            else {
                continue;
            };
            if let Some([value]) = self.values.get(name.as_str()).map(Vec::as_slice) {
                out.append(&word.slice(at..all.start()));
                out.append(value);
                at = all.end();
            }
        }
        out.append(&word.slice(at..word.text().len()));
        out
    }
}

fn rest(words: &[Placed], from: usize) -> Vec<Placed> {
    words.get(from..).unwrap_or_default().to_vec()
}

fn bare(name: &str) -> String {
    name.trim_start_matches(['$', '%']).to_owned()
}

fn is_name(name: &str) -> bool {
    let word = |c: char| c == '_' || c.is_ascii_alphanumeric();
    !name.is_empty() && name.chars().all(word)
}

/// A reference to a name that nobody set, and the program that it most likely is: `${PIP}`.
pub(super) fn program(text: &str) -> Option<String> {
    let found = REFERENCE.first(text)?;
    let name = found.iter().skip(1).flatten().next()?;
    let whole = within(text, found.get(0)?.as_str()).len() == text.len();
    whole.then(|| name.as_str().to_lowercase())
}
