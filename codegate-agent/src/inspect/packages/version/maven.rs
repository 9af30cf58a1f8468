//! Maven's versions, by the order that its documentation of POMs gives them.

use std::cmp::Ordering;

use super::{Number, runs};

/// What a version is made of, with the separator that stands before it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Number(char, String),
    Word(char, String),
}

/// `None` if one of them has no digit and no word.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (tokens(a), tokens(b));
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let (a, b) = (trimmed(a), trimmed(b));
    for i in 0..a.len().max(b.len()) {
        let order = match (a.get(i), b.get(i)) {
            (Some(a), Some(b)) => tokens_order(a, b),
            (Some(a), None) => tokens_order(a, &padding(a)),
            (None, Some(b)) => tokens_order(&padding(b), b),
            (None, None) => Ordering::Equal,
        };
        if order.is_ne() {
            return Some(order);
        }
    }
    Some(Ordering::Equal)
}

fn tokens(text: &str) -> Vec<Token> {
    let text = text.trim().to_lowercase();
    let mut tokens = Vec::new();
    let mut separator = '.';
    for part in text.split_inclusive(['.', '-', '_']) {
        let body = part.trim_end_matches(['.', '-', '_']);
        let mut runs = runs(body).peekable();
        while let Some(run) = runs.next() {
            let token = match Number::parse(run) {
                Some(number) => Token::Number(separator, number.0.to_owned()),
                // `.word` and `-word` are one.
                None => Token::Word('-', qualifier(run, runs.peek().is_some())),
            };
            tokens.push(token);
            separator = '-';
        }
        separator = match part.chars().last() {
            Some('.') => '.',
            _ => '-',
        };
    }
    tokens
}

/// Short names stand for long ones, if a number follows them.
fn qualifier(word: &str, before_number: bool) -> String {
    let long = match word {
        "a" if before_number => "alpha",
        "b" if before_number => "beta",
        "m" if before_number => "milestone",
        "cr" => "rc",
        "ga" | "final" | "release" => "",
        word => word,
    };
    long.to_owned()
}

/// Without what says nothing: zeros and empty qualifiers at the end, and before each hyphen.
fn trimmed(tokens: Vec<Token>) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        if token.separator() == '-' {
            drop_nulls(&mut out);
        }
        out.push(token);
    }
    drop_nulls(&mut out);
    out
}

fn drop_nulls(tokens: &mut Vec<Token>) {
    while tokens.last().is_some_and(Token::is_null) {
        tokens.pop();
    }
}

fn padding(against: &Token) -> Token {
    match against {
        Token::Number(separator, _) => Token::Number(*separator, String::new()),
        Token::Word(..) => Token::Word('-', String::new()),
    }
}

impl Token {
    fn separator(&self) -> char {
        match self {
            Self::Number(separator, _) | Self::Word(separator, _) => *separator,
        }
    }

    fn is_null(&self) -> bool {
        match self {
            Self::Number(_, text) | Self::Word(_, text) => text.is_empty(),
        }
    }
}

fn tokens_order(a: &Token, b: &Token) -> Ordering {
    match (a, b) {
        (Token::Number(s, a), Token::Number(t, b)) if s == t => Number(a).cmp(&Number(b)),
        (Token::Word(s, a), Token::Word(t, b)) if s == t => words_order(a, b),
        _ => kind(a).cmp(&kind(b)),
    }
}

/// `.word` = `-word` < `-number` < `.number`.
fn kind(token: &Token) -> u8 {
    match token {
        Token::Word(..) => 0,
        Token::Number('-', _) => 1,
        Token::Number(..) => 2,
    }
}

fn words_order(a: &str, b: &str) -> Ordering {
    const KNOWN: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
    let rank = |word: &str| KNOWN.iter().position(|known| *known == word);
    match (rank(a), rank(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}
