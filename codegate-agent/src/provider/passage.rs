//! A text that a model writes, as it grows: cut where a paragraph or a fence ends, so that each
//! piece is looked at once, whole, and a notice finds a place that is not inside of code.
//!
//! Knows: lines, and what opens and closes a fence of Markdown (CommonMark section 4.5). Must not
//! know: events, packages, what a notice says.

use std::hash::{DefaultHasher, Hasher};

use super::Watch;

/// A piece that grows beyond this many bytes is looked at although it has not ended.
const LONGEST: usize = 1 << 20;

/// A text that is still growing.
#[derive(Debug, Default)]
pub(super) struct Passage {
    /// What was not looked at yet, from the end of the last piece.
    piece: String,
    /// Where its last line begins.
    line: usize,
    /// The fence that is open.
    fence: Option<Fence>,
    /// The last line that said something before the piece: it may name the file of a fence.
    before: String,
    /// What is to be told once the open fence has ended.
    pending: String,
    /// What the text begins with, once that is known: JSON is for programs, and nothing is told in it.
    begins: Option<Begins>,
    seen: Seen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begins {
    Words,
    Json,
}

/// What a text said so far, for those that repeat it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    len: usize,
    hash: DefaultHasher,
    /// What was told, and behind how many bytes of the text.
    told: Vec<(usize, String)>,
}

/// A text by what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Print(usize, u64);

#[derive(Debug)]
struct Fence {
    /// The line that opened it.
    opening: String,
    mark: u8,
    len: usize,
}

impl Passage {
    /// Adds what was said next; gives what is to be told, and behind how many bytes of `text`.
    pub(super) fn add(&mut self, text: &str, watch: &mut dyn Watch) -> Vec<(usize, String)> {
        let mut notices = Vec::new();
        let mut from = 0;
        for at in memchr::memchr_iter(b'\n', text.as_bytes()) {
            self.piece.push_str(text.get(from..at).unwrap_or_default());
            from = at + 1;
            let ended = self.line_ended(watch);
            self.piece.push('\n');
            self.line = self.piece.len();
            if ended {
                notices.extend(self.cut(watch).map(|notice| (at, notice)));
            }
        }
        self.piece.push_str(text.get(from..).unwrap_or_default());
        if self.piece.len() > LONGEST {
            self.shorten(watch);
        }
        let base = self.seen.len;
        self.seen.len += text.len();
        self.seen.hash.write(text.as_bytes());
        let told = notices.iter().map(|(at, told)| (base + at, told.clone()));
        self.seen.told.extend(told);
        notices
    }

    /// The text has ended: gives what is to be told behind it. In a fence that was never closed,
    /// nothing is.
    pub(super) fn finish(&mut self, watch: &mut dyn Watch) -> Option<String> {
        let line = self.piece.get(self.line..).unwrap_or_default();
        let open = self
            .fence
            .as_ref()
            .is_some_and(|fence| !fence.is_closed_by(line));
        let told = self.cut(watch);
        if open || self.begins != Some(Begins::Words) {
            return None;
        }
        let notice = told.unwrap_or_default() + &watch.closing().unwrap_or_default();
        if notice.is_empty() {
            return None;
        }
        self.seen.told.push((self.seen.len, notice.clone()));
        Some(notice)
    }

    /// What was said, if something was told in it.
    pub(super) fn into_seen(self) -> Option<Seen> {
        (!self.seen.told.is_empty()).then_some(self.seen)
    }

    /// The last line is whole; says whether the piece ends with it.
    fn line_ended(&mut self, watch: &mut dyn Watch) -> bool {
        let line = self.piece.get(self.line..).unwrap_or_default();
        let blank = line.trim().is_empty();
        match &self.fence {
            Some(fence) => fence.is_closed_by(line),
            None if blank => !self.piece.trim().is_empty(),
            None => {
                self.fence = Fence::opened_by(line);
                if self.fence.is_some() && self.line > 0 {
                    self.text_before_fence(watch);
                }
                false
            }
        }
    }

    /// A fence opens right behind a sentence. The sentence is looked at, and what is told of it
    /// waits for the fence's end: between the two there is no place for a notice.
    fn text_before_fence(&mut self, watch: &mut dyn Watch) {
        let opening = self.piece.split_off(self.line);
        self.read(watch);
        self.piece = opening;
        self.line = 0;
    }

    /// Ends the piece, and gives what is to be told behind it.
    fn cut(&mut self, watch: &mut dyn Watch) -> Option<String> {
        self.read(watch);
        self.fence = None;
        let told = std::mem::take(&mut self.pending);
        (!told.is_empty() && self.begins != Some(Begins::Json)).then_some(told)
    }

    /// Looks at the piece, which is then forgotten.
    fn read(&mut self, watch: &mut dyn Watch) {
        let piece = std::mem::take(&mut self.piece);
        self.line = 0;
        if piece.trim().is_empty() {
            return;
        }
        self.begins = self.begins.or_else(|| Some(Begins::of(&piece)));
        let told = match &self.fence {
            Some(_) if !self.before.is_empty() => {
                let before = std::mem::take(&mut self.before);
                watch.passage(&format!("{before}\n{piece}"))
            }
            _ => watch.passage(&piece),
        };
        self.pending.extend(told);
        let last = piece.lines().rfind(|line| !line.trim().is_empty());
        self.before = match self.fence {
            None => last.unwrap_or_default().to_owned(),
            Some(_) => String::new(),
        };
    }

    /// Looks at a piece that has grown too long; what follows is another piece of the same kind.
    fn shorten(&mut self, watch: &mut dyn Watch) {
        let opening = self.fence.as_ref().map(|fence| fence.opening.clone());
        // A line without an end is cut as well.
        let endless = self.piece.len() - self.line > LONGEST / 2;
        let cut = if endless { self.piece.len() } else { self.line };
        let rest = self.piece.split_off(cut);
        self.read(watch);
        self.piece = opening.map_or(String::new(), |opening| opening + "\n");
        self.line = self.piece.len();
        self.piece.push_str(&rest);
    }
}

impl Begins {
    /// By a text's first piece.
    fn of(piece: &str) -> Self {
        let mut chars = piece.chars().filter(|c| !c.is_whitespace());
        match (chars.next(), chars.next()) {
            (Some('{'), _) | (Some('['), Some('{' | '[' | '"')) => Self::Json,
            _ => Self::Words,
        }
    }
}

impl Seen {
    /// What the text said, as short as can be.
    pub(super) fn print(&self) -> Print {
        Print(self.len, self.hash.finish())
    }

    /// What was told, and behind how many bytes.
    pub(super) fn told(&self) -> &[(usize, String)] {
        &self.told
    }
}

impl Print {
    pub(super) fn of(text: &str) -> Self {
        let mut hash = DefaultHasher::new();
        hash.write(text.as_bytes());
        Self(text.len(), hash.finish())
    }
}

impl Fence {
    /// The fence that a line opens: in a quote or a list, too.
    fn opened_by(line: &str) -> Option<Self> {
        let inner = line.trim_start_matches([' ', '\t', '>']);
        let inner = without_bullet(inner).trim_end();
        let mark = *inner.as_bytes().first()?;
        let len = inner.bytes().take_while(|b| *b == mark).count();
        let info = inner.get(len..)?;
        let opens = matches!(mark, b'`' | b'~') && len >= 3 && !info.contains('`');
        opens.then(|| Self {
            opening: line.to_owned(),
            mark,
            len,
        })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let inner = line.trim_start_matches([' ', '\t', '>']).trim_end();
        inner.len() >= self.len && inner.bytes().all(|b| b == self.mark)
    }
}

/// A line of a list without what makes it one.
fn without_bullet(line: &str) -> &str {
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let bullet = match digits.len() < line.len() {
        true => digits.strip_prefix(['.', ')']),
        false => line.strip_prefix(['-', '*', '+']),
    };
    let spaced = bullet.filter(|rest| rest.starts_with([' ', '\t']));
    spaced.map_or(line, |rest| rest.trim_start_matches([' ', '\t']))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::{provider::Restore, seal::Placeholder};

    /// Tells `<n>` behind each piece that says "bad", and keeps all pieces.
    #[derive(Default)]
    struct Reader(Vec<String>);

    impl Restore for Reader {
        fn value(&mut self, _: &Placeholder) -> Option<Zeroizing<Vec<u8>>> {
            None
        }
        fn mangled(&mut self, _: &[u8]) {}
    }

    impl Watch for Reader {
        fn passage(&mut self, text: &str) -> Option<String> {
            self.0.push(text.to_owned());
            text.contains("bad").then(|| format!("<{}>", self.0.len()))
        }
    }

    /// What a text becomes that arrives in pieces of so many bytes.
    fn told(text: &str, step: usize) -> (String, Vec<String>) {
        let mut reader = Reader::default();
        let mut passage = Passage::default();
        let mut out = String::new();
        for piece in text.as_bytes().chunks(step) {
            let piece = std::str::from_utf8(piece).unwrap();
            let mut at = 0;
            for (place, notice) in passage.add(piece, &mut reader) {
                out += &piece[at..place];
                out += &notice;
                at = place;
            }
            out += &piece[at..];
        }
        out.extend(passage.finish(&mut reader));
        (out, reader.0)
    }

    #[test]
    fn a_notice_stands_behind_the_fence_whatever_the_pieces() {
        for (text, expected) in [
            ("a\n```sh\nbad\n```\nb", "a\n```sh\nbad\n```<2>\nb"),
            ("```sh\nbad\n```", "```sh\nbad\n```<1>"),
            ("```\nbad\n```  \n", "```\nbad\n```  <1>\n"),
            (
                "````\n```\nbad\n```\n````\n",
                "````\n```\nbad\n```\n````<1>\n",
            ),
            ("```md\n```sh\nbad\n```\n", "```md\n```sh\nbad\n```<1>\n"),
            ("- ~~~\n  bad\n  ~~~\nx", "- ~~~\n  bad\n  ~~~<1>\nx"),
            ("```\nbad\n\nmore\n```\n", "```\nbad\n\nmore\n```<1>\n"),
            ("bad\n```\ncode\n```\n", "bad\n```\ncode\n```<1>\n"),
            ("so bad\nhere\n\nnext", "so bad\nhere\n<1>\nnext"),
            ("bad", "bad<1>"),
            ("fine\n\n\n\nfine", "fine\n\n\n\nfine"),
            ("```\nbad", "```\nbad"),
            ("{\"run\":\n\n\"bad\"}", "{\"run\":\n\n\"bad\"}"),
            (" [ \"bad\" ]\n", " [ \"bad\" ]\n"),
            ("[bad](x)\n", "[bad](x)\n<1>"),
        ] {
            for step in 1..12 {
                assert_eq!(told(text, step).0, expected, "{text:?} by {step}");
            }
        }
    }

    #[test]
    fn each_piece_is_looked_at_once() {
        let text = "Put it into `x.json`:\n\n```\na\n```\nthen\n\n1. b\n2. c\n\n";
        let expected = [
            "Put it into `x.json`:\n\n",
            "Put it into `x.json`:\n```\na\n```\n",
            "then\n\n",
            "1. b\n2. c\n\n",
        ];
        for step in [1, 5, 1000] {
            assert_eq!(told(text, step).1, expected);
        }
    }

    #[test]
    fn an_endless_piece_is_looked_at_in_parts() {
        let line = "x".repeat(999) + "\n";
        let text = format!("```sh\n{}bad\n```\nend", line.repeat(2200));
        let (out, pieces) = told(&text, 40_000);
        assert!(out.ends_with("bad\n```<3>\nend"));
        assert_eq!(pieces.len(), 4);
        assert!(
            pieces
                .iter()
                .take(3)
                .all(|p| p.starts_with("```sh\n") && p.len() < LONGEST + 50_000)
        );
        let endless = "y".repeat(3 * LONGEST);
        assert!(
            told(&endless, 40_000)
                .1
                .iter()
                .all(|p| p.len() < LONGEST + 50_000)
        );
    }

    #[test]
    fn what_was_said_is_known_again() {
        let (mut passage, mut reader) = (Passage::default(), Reader::default());
        for piece in ["bad\n", "\nm", "öre"] {
            passage.add(piece, &mut reader);
        }
        passage.finish(&mut reader);
        let seen = passage.into_seen().unwrap();
        assert_eq!(seen.print(), Print::of("bad\n\nmöre"));
        assert_ne!(seen.print(), Print::of("bad\n\nmore"));
        assert_eq!(seen.told(), [(4, "<1>".to_owned())]);
    }
}
