//! A tool call whose arguments are still growing: whether it has to wait, and when it is complete.
//!
//! Knows: JSON as it arrives. Must not know: events, packages.
//!
//! A call waits if its tool runs what it is given, or from where a member begins that is named like
//! a command. All others go on as they come, and are only looked at.

use super::{Watch, tool};

/// A call whose arguments grow beyond this many bytes is not read to its end.
const LONGEST: usize = 1 << 20;

/// A call that is still growing.
#[derive(Debug)]
pub(super) struct Call {
    /// The tool, as far as it is known.
    pub(super) name: String,
    /// Its arguments so far.
    arguments: Vec<u8>,
    /// Of them, how many bytes have gone on.
    passed: usize,
    /// Whether they are just text.
    plain: bool,
    state: State,
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
            passed: 0,
            plain,
            state: State::Passing,
            braces: Braces::default(),
        }
    }

    /// Takes a delta, and says what becomes of it.
    pub(super) fn add(&mut self, text: &[u8]) -> State {
        if matches!(self.state, State::Refused | State::Done) {
            return self.state;
        }
        let before = self.arguments.len();
        self.arguments.extend_from_slice(text);
        self.braces.feed(text);
        if self.state == State::Passing && self.may_run(before) {
            self.state = State::Waiting;
            self.passed = before;
        }
        self.state
    }

    /// Whether the arguments are whole: what follows could only be white space.
    pub(super) fn is_whole(&self) -> bool {
        !self.plain && self.braces.closed
    }

    /// Whether there is too much of it to wait for its end.
    pub(super) fn is_too_long(&self) -> bool {
        self.arguments.len() > LONGEST
    }

    /// Whether it has not been judged yet.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Passing | State::Waiting)
    }

    /// Looks at the arguments so far; gives what they are to be if it is refused.
    pub(super) fn instead(&self, watch: &mut dyn Watch) -> Option<Vec<u8>> {
        match self.arguments.as_slice() {
            [] => None,
            arguments => tool::judge(&self.name, arguments, self.plain, watch),
        }
    }

    /// It has been judged: `instead` is what its arguments are to be. Gives what of that has not
    /// gone on yet, if it can still be said.
    pub(super) fn judged(&mut self, instead: Option<Vec<u8>>) -> Option<Vec<u8>> {
        let waited = self.state == State::Waiting;
        self.state = State::Done;
        let arguments = std::mem::take(&mut self.arguments);
        let instead = instead.filter(|_| waited)?;
        let gone = arguments.get(..self.passed).unwrap_or_default();
        let rest = instead.strip_prefix(gone)?.to_vec();
        self.state = State::Refused;
        Some(rest)
    }

    /// Whether a command may have begun behind the first `before` bytes.
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
    use super::*;

    /// After how many bytes of the arguments a call waits, and after how many it is whole.
    fn follow(name: &str, arguments: &str, step: usize) -> (Option<usize>, Option<usize>) {
        let mut call = Call::new(name, false);
        let (mut waits, mut whole, mut at) = (None, None, 0);
        for piece in arguments.as_bytes().chunks(step) {
            let state = call.add(piece);
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
            let read = r#"{"file_path": "/x", "text": "the \"command\" is"}"#;
            assert_eq!(follow("Read", read, step), (None, Some(read.len())));
        }
    }

    #[test]
    fn what_has_gone_on_is_not_said_again() {
        let arguments = br#"{"cwd": "/", "command": "x"}"#;
        let mut call = Call::new("do_it", false);
        for byte in arguments {
            call.add(&[*byte]);
        }
        let rest = call.judged(Some(br#"{"cwd": "/", "command": "y"}"#.to_vec()));
        let rest = rest.unwrap();
        assert!(rest.ends_with(br#": "y"}"#) && rest.len() < 12);
        assert_eq!(call.add(b" "), State::Refused);
    }

    #[test]
    fn what_cannot_be_taken_back_goes_on() {
        let mut call = Call::new("Read", false);
        call.add(b"{\"a\": 1}");
        assert_eq!(call.judged(Some(b"{}".to_vec())), None);
        assert_eq!(call.add(b" "), State::Done);
    }
}
