//! A tool call whose arguments are still growing: whether it has to wait, and when it is complete.
//!
//! Knows: JSON as it arrives. Must not know: events, packages.
//!
//! A call waits if its tool runs what it is given, or from where a member begins that is named like
//! a command, or from where a file's name begins: until that is whole, and if somebody wants to see
//! the file, until the call is. All others go on as they come, and are only looked at.

use super::{Watch, paths::Paths, tool, written::nowhere};
use crate::span::escape;

/// A call whose arguments grow beyond this many bytes is not read to its end.
const LONGEST: usize = 1 << 20;

/// A call that is still growing.
#[derive(Debug)]
pub(super) struct Call {
    /// The tool, as far as it is known.
    pub(super) name: String,
    /// Its arguments so far, but for the first bytes of very long ones.
    arguments: Vec<u8>,
    /// How many bytes those are.
    dropped: usize,
    /// How many bytes have gone on.
    passed: usize,
    /// Whether they are just text.
    plain: bool,
    state: State,
    /// Whether it may run something.
    runs: bool,
    paths: Paths,
    braces: Braces,
}

/// What becomes of the call's deltas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// They go on.
    Passing,
    /// They wait.
    Waiting,
    /// It was refused: what still comes is dropped.
    Refused,
    /// It was looked at, and what still comes goes on.
    Done,
}

impl Call {
    pub(super) fn new(name: &str, plain: bool) -> Self {
        Self {
            name: name.to_owned(),
            arguments: Vec::new(),
            dropped: 0,
            passed: 0,
            plain,
            state: State::Passing,
            runs: false,
            paths: match plain {
                true => Paths::patch(),
                false => Paths::json(),
            },
            braces: Braces::default(),
        }
    }

    /// Takes a delta, and says what becomes of it. One that is not of a [`State::Waiting`] call any
    /// more lets those go on that waited.
    pub(super) fn add(&mut self, text: &[u8], watch: &dyn Watch) -> State {
        if matches!(self.state, State::Refused | State::Done) {
            return self.state;
        }
        let before = self.arguments.len();
        self.arguments.extend_from_slice(text);
        self.braces.feed(text);
        self.paths.feed(text, |name| watch.guards(name));
        self.runs = self.runs || self.may_run(before);
        match (self.state, self.has_to_wait()) {
            (State::Passing, true) => {
                self.state = State::Waiting;
                self.passed = self.dropped + before;
            }
            (State::Waiting, false) => self.state = State::Passing,
            (State::Passing, false) if self.arguments.len() > LONGEST => self.forget(),
            _ => {}
        }
        self.state
    }

    fn has_to_wait(&self) -> bool {
        self.runs || self.paths.is_open() || self.paths.found().is_some()
    }

    /// So much has gone on that nobody will read it.
    fn forget(&mut self) {
        self.dropped += self.arguments.len();
        self.arguments.clear();
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.state == State::Waiting
    }

    /// Whether the arguments are whole: what follows could only be white space.
    pub(super) fn is_whole(&self) -> bool {
        !self.plain && self.braces.closed
    }

    /// Whether there is too much of it to wait for its end.
    pub(super) fn is_too_long(&self) -> bool {
        let undecided = self.paths.is_open() && self.paths.found().is_none();
        self.arguments.len() > LONGEST || self.dropped > 0 && !undecided
    }

    /// Whether it has not been judged yet.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Passing | State::Waiting)
    }

    /// Looks at the arguments so far; gives what they are to be if it is refused.
    pub(super) fn instead(&self, watch: &mut dyn Watch) -> Option<Vec<u8>> {
        match self.arguments.as_slice() {
            [] => None,
            _ if self.dropped > 0 => None,
            arguments => tool::judge(&self.name, arguments, self.plain, watch),
        }
    }

    /// It cannot be read to its end; gives what of it is to be said now if it must not be made then.
    pub(super) fn unread(&mut self, reason: Option<String>) -> Option<Vec<u8>> {
        match self.paths.found().filter(|_| !self.runs) {
            None => {
                let refused = |reason: String| tool::refused(&self.name, self.plain, &reason);
                let instead = reason.map(refused);
                self.judged(instead)
            }
            Some(name) => {
                let before = self.dropped..self.passed;
                self.state = State::Done;
                let arguments = std::mem::take(&mut self.arguments);
                let at = |place: usize| place.saturating_sub(before.start);
                let mut rest = arguments.get(at(before.end)..at(name.start))?.to_vec();
                let nowhere = nowhere(&reason?);
                match self.plain {
                    true => rest.extend_from_slice(nowhere.as_bytes()),
                    false => rest.extend(escape(nowhere.as_bytes(), 1)),
                }
                rest.extend_from_slice(arguments.get(at(name.end)..)?);
                Some(rest)
            }
        }
    }

    /// It has been judged: `instead` is what its arguments are to be. Gives what of that has not
    /// gone on yet, if it can still be said.
    pub(super) fn judged(&mut self, instead: Option<Vec<u8>>) -> Option<Vec<u8>> {
        let waited = self.state == State::Waiting;
        self.state = State::Done;
        let arguments = std::mem::take(&mut self.arguments);
        let instead = instead.filter(|_| waited)?;
        let gone = arguments.get(..self.passed.saturating_sub(self.dropped));
        let gone = gone.unwrap_or_default();
        let rest = instead.strip_prefix(gone)?.to_vec();
        self.state = State::Refused;
        Some(rest)
    }

    /// Whether a command may have begun behind the first `before` of the bytes that are here.
    fn may_run(&self, before: usize) -> bool {
        if tool::runs(&self.name) || (self.plain && !tool::writes(&self.name)) {
            return true;
        }
        // A member's name that began in an earlier delta is looked at again.
        let from = before.saturating_sub(Self::LONGEST_NAME);
        let fresh = self.arguments.get(from..).unwrap_or_default();
        let mut before: &[u8] = b"\\";
        for string in fresh.split(|b| *b == b'"') {
            // A quote behind a backslash begins no string.
            let begins = !before.ends_with(b"\\");
            before = string;
            if begins && std::str::from_utf8(string).is_ok_and(tool::is_command) {
                return true;
            }
        }
        false
    }

    /// No member that is looked for has a longer name, quotes included.
    const LONGEST_NAME: usize = 24;
}

/// Counts the brackets of JSON as it arrives.
#[derive(Debug, Default)]
struct Braces {
    depth: u32,
    string: bool,
    escaped: bool,
    closed: bool,
}

impl Braces {
    fn feed(&mut self, text: &[u8]) {
        for &byte in text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.string => self.escaped = true,
                b'"' => self.string = !self.string,
                _ if self.string => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.closed |= self.depth == 0;
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::{provider::Restore, seal::Placeholder};

    /// Wants to see manifests.
    struct Manifests;

    impl Restore for Manifests {
        fn value(&mut self, _: &Placeholder) -> Option<Zeroizing<Vec<u8>>> {
            None
        }
        fn mangled(&mut self, _: &[u8]) {}
    }

    impl Watch for Manifests {
        fn guards(&self, name: &str) -> bool {
            name.ends_with("package.json")
        }
    }

    /// After how many bytes of the arguments a call waits, and after how many it is whole.
    fn follow(name: &str, arguments: &str, step: usize) -> (Option<usize>, Option<usize>) {
        let mut call = Call::new(name, false);
        let (mut waits, mut whole, mut at) = (None, None, 0);
        for piece in arguments.as_bytes().chunks(step) {
            let state = call.add(piece, &Manifests);
            if state == State::Waiting {
                waits = waits.or(Some(at));
            }
            at += piece.len();
            if call.is_whole() {
                whole = whole.or(Some(at));
            }
        }
        (waits, whole)
    }

    #[test]
    fn a_call_waits_before_its_command_begins() {
        let arguments = r#"{"cwd": "a\"b{", "command": "npm i x"}"#;
        let begins = arguments.find("npm").unwrap();
        for step in 1..arguments.len() {
            let (waits, whole) = follow("do_it", arguments, step);
            assert!(waits.unwrap() < begins, "{step}");
            assert_eq!(whole, Some(arguments.len()));
            assert_eq!(follow("Bash", arguments, step).0, Some(0));
            let read = r#"{"limit": 5, "text": "the \"command\" is"}"#;
            assert_eq!(follow("Read", read, step), (None, Some(read.len())));
        }
    }

    #[test]
    fn what_has_gone_on_is_not_said_again() {
        let arguments = br#"{"cwd": "/", "command": "x"}"#;
        let mut call = Call::new("do_it", false);
        for byte in arguments {
            call.add(&[*byte], &Manifests);
        }
        let rest = call.judged(Some(br#"{"cwd": "/", "command": "y"}"#.to_vec()));
        let rest = rest.unwrap();
        assert!(rest.ends_with(br#": "y"}"#) && rest.len() < 12);
        assert_eq!(call.add(b" ", &Manifests), State::Refused);
    }

    #[test]
    fn what_cannot_be_taken_back_goes_on() {
        let mut call = Call::new("Read", false);
        call.add(b"{\"a\": 1}", &Manifests);
        assert_eq!(call.judged(Some(b"{}".to_vec())), None);
        assert_eq!(call.add(b" ", &Manifests), State::Done);
    }

    /// What has gone on after each byte of a call, as a string of marks.
    fn gone(arguments: &str) -> String {
        let mut call = Call::new("Write", false);
        let states = arguments.bytes().map(|byte| call.add(&[byte], &Manifests));
        let mark = |state| if state == State::Waiting { '.' } else { '!' };
        states.map(mark).collect()
    }

    #[test]
    fn a_call_waits_for_a_file_name_and_then_only_for_files_that_are_wanted() {
        let arguments = r#"{"path": "/a/x.rs", "content": "package.json"}"#;
        let open = arguments.find("/a/x.rs").unwrap() - 1;
        let close = arguments.find("\", \"content").unwrap();
        let marks = gone(arguments);
        assert!(marks[..open].chars().all(|c| c == '!'), "{marks}");
        assert!(marks[open..close].chars().all(|c| c == '.'), "{marks}");
        assert!(marks[close..].chars().all(|c| c == '!'), "{marks}");
        for arguments in [
            r#"{"path": "/a/package.json", "content": "x"}"#,
            r#"{"content": "x", "path": "\u0070ackage.json"}"#,
        ] {
            let open = arguments.find("path").unwrap() + 7;
            let marks = gone(arguments);
            assert!(marks[..open].chars().all(|c| c == '!'), "{marks}");
            assert!(marks[open..].chars().all(|c| c == '.'), "{marks}");
        }
    }

    #[test]
    fn what_is_too_long_to_be_read_is_refused_by_its_name() {
        let content = "x".repeat(LONGEST);
        for (arguments, expected) in [
            (
                format!(r#"{{"path": "package.json", "content": "{content}y"#),
                r#""/dev/null/no", "content": "xx"#,
            ),
            (
                format!(r#"{{"content": "{content}", "path": "a/package.json","#),
                r#""/dev/null/no","#,
            ),
        ] {
            let mut call = Call::new("Write", false);
            let mut waits = 0;
            for piece in arguments.as_bytes().chunks(5) {
                match call.add(piece, &Manifests) {
                    State::Waiting => waits += 1,
                    _ => waits = 0,
                }
                if waits > 0 && call.is_too_long() {
                    break;
                }
            }
            assert!(call.is_too_long());
            let rest = String::from_utf8(call.unread(Some("no".to_owned())).unwrap()).unwrap();
            let from = rest.find('"').unwrap();
            assert!(
                rest[from..].contains(expected) && from < 12,
                "{}",
                &rest[..40]
            );
            assert_eq!(call.add(b"rest", &Manifests), State::Done);
        }
    }
}
