//! Python's versions, by PEP 440 and its normal forms.

use std::cmp::Ordering;

use super::{Number, runs};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Version {
    epoch: String,
    /// Without zeros at the end.
    release: Vec<String>,
    pre: Pre,
    post: Option<String>,
    /// `None` is no development release, and later than all of them.
    dev: Option<String>,
    local: Vec<String>,
}

/// In the order of PEP 440: a development release without any other mark comes before all.
#[derive(Debug, PartialEq, Eq)]
enum Pre {
    DevOnly,
    Marked(u8, String),
    None,
}

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let text = text.strip_prefix('v').unwrap_or(&text);
        let (public, local) = match text.split_once('+') {
            Some((public, local)) => (public, local),
            None => (text, ""),
        };
        let (epoch, rest) = public.split_once('!').unwrap_or(("0", public));
        let end = rest.find(|c: char| c != '.' && !c.is_ascii_digit());
        let (release, marks) = rest.split_at(end.unwrap_or(rest.len()));
        let mut version = Self {
            epoch: Number::parse(epoch)?.0.to_owned(),
            release: numbers(release.trim_end_matches('.'))?,
            pre: Pre::None,
            post: None,
            dev: None,
            local: local_parts(local),
        };
        version.read_marks(marks)?;
        if version.dev.is_some() && version.post.is_none() && version.pre == Pre::None {
            version.pre = Pre::DevOnly;
        }
        Some(version)
    }

    /// Reads `a1`, `.post2`, `-3`, `.dev4` and their other spellings.
    fn read_marks(&mut self, marks: &str) -> Option<()> {
        let implicit_post = marks.strip_prefix('-').and_then(Number::parse);
        if let Some(number) = implicit_post {
            self.post = Some(number.0.to_owned());
            return Some(());
        }
        let separators = ['.', '-', '_'];
        let mut words = runs(marks).map(|run| run.trim_matches(separators));
        let mut words = words.by_ref().filter(|run| !run.is_empty()).peekable();
        while let Some(word) = words.next() {
            let number = words.peek().and_then(|next| Number::parse(next));
            if number.is_some() {
                words.next();
            }
            let number = number.unwrap_or(Number::ZERO).0.to_owned();
            match word {
                "a" | "alpha" => self.pre = Pre::Marked(0, number),
                "b" | "beta" => self.pre = Pre::Marked(1, number),
                "rc" | "c" | "pre" | "preview" => self.pre = Pre::Marked(2, number),
                "post" | "rev" | "r" => self.post = Some(number),
                "dev" => self.dev = Some(number),
                _ => return None,
            }
        }
        Some(())
    }
}

fn numbers(text: &str) -> Option<Vec<String>> {
    let numbers = text.split('.').map(|part| Some(Number::parse(part)?.0));
    let mut numbers: Vec<String> = numbers
        .map(|n| n.map(str::to_owned))
        .collect::<Option<_>>()?;
    while numbers.last().is_some_and(String::is_empty) {
        numbers.pop();
    }
    Some(numbers)
}

fn local_parts(text: &str) -> Vec<String> {
    let parts = text.split(['.', '-', '_']).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let number = |a: &str, b: &str| Number(a).cmp(&Number(b));
        number(&self.epoch, &other.epoch)
            .then_with(|| releases(&self.release, &other.release))
            .then_with(|| self.pre.cmp(&other.pre))
            .then_with(|| optional(&self.post, &other.post, Ordering::Less))
            .then_with(|| optional(&self.dev, &other.dev, Ordering::Greater))
            .then_with(|| locals(&self.local, &other.local))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Pre {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |pre: &Self| match pre {
            Self::DevOnly => 0,
            Self::Marked(rank, _) => rank + 1,
            Self::None => 9,
        };
        let number = |pre: &Self| match pre {
            Self::Marked(_, number) => number.clone(),
            _ => String::new(),
        };
        let ranks = rank(self).cmp(&rank(other));
        ranks.then_with(|| Number(&number(self)).cmp(&Number(&number(other))))
    }
}

fn releases(a: &[String], b: &[String]) -> Ordering {
    let pairs = a.iter().zip(b).map(|(a, b)| Number(a).cmp(&Number(b)));
    let first = pairs.into_iter().find(|order| order.is_ne());
    // No zeros are at the end, so the longer one is later.
    first.unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// Compares marks; `missing` is how a version without one stands to one with it.
fn optional(a: &Option<String>, b: &Option<String>, missing: Ordering) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => missing,
        (Some(_), None) => missing.reverse(),
        (Some(a), Some(b)) => Number(a).cmp(&Number(b)),
    }
}

fn locals(a: &[String], b: &[String]) -> Ordering {
    let part = |a: &String, b: &String| match (Number::parse(a), Number::parse(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => a.cmp(b),
    };
    let pairs = a.iter().zip(b).map(|(a, b)| part(a, b));
    let first = pairs.into_iter().find(|order| order.is_ne());
    first.unwrap_or_else(|| a.len().cmp(&b.len()))
}
