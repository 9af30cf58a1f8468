//! From rules to secrets: what each rule should find, without anything around it.
//!
//! Knows: rules, patterns. Must not know: carriers, or how anything is found.

use std::ops::Range;

use anyhow::Result;
use regex::RegexSet;

use crate::{
    example, forge,
    grammar::{Grammar, Text},
    marked::{mark, mark_ranges},
    random::Random,
    rules::Rule,
};

/// How many values a rule is given in each carrier.
pub(crate) const VALUES: usize = 2;

/// Names that say nothing: a format is found for what it is.
const NEUTRAL: [&str; 8] = [
    "setting",
    "entry",
    "item",
    "argument",
    "upstream",
    "remote",
    "first_value",
    "option",
];

/// A secret, marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sample {
    /// A value, and the name it is given.
    Value {
        name: String,
        /// What the name has to keep when it is written in another style, if it matters.
        kept: Option<String>,
        marked: String,
    },
    /// A text of the rule's own.
    Text(String),
}

/// Everything that a rule is asked to find.
pub(crate) struct Samples {
    /// Values by chance; fewer or none if the rule's pattern does not tell enough.
    pub(crate) values: Vec<Sample>,
    /// The rule's examples.
    pub(crate) texts: Vec<Sample>,
}

impl Samples {
    pub(crate) fn of(rule: &Rule) -> Result<Self> {
        let source = Source::of(rule)?;
        let values = (0..VALUES).filter_map(|at| {
            let mut random = Random::of(&[&rule.id, &at.to_string()]);
            source.as_ref()?.sample(rule, at, &mut random).transpose()
        });
        let values = values.collect::<Result<_>>()?;
        let texts = rule.examples.iter().enumerate().map(|(seed, template)| {
            let example =
                example::expand(template, seed as u64 + 100).map_err(anyhow::Error::msg)?;
            Ok(Sample::Text(mark_ranges(&example.text, &example.secrets)))
        });
        Ok(Self {
            values,
            texts: texts.collect::<Result<_>>()?,
        })
    }
}

/// Where the values of a rule come from.
enum Source {
    /// Its pattern.
    Pattern(Grammar),
    /// Names, and the pattern of the value beside them, or a judge.
    Beside(Vec<(String, Grammar)>, Option<Grammar>),
}

impl Source {
    /// `None` if only the rule's examples tell what it looks like.
    fn of(rule: &Rule) -> Result<Option<Self>> {
        if let Some(pattern) = &rule.pattern {
            let grammar = Grammar::read(pattern)?;
            let told = !grammar.is_open() && rule.keywords.iter().all(|word| is_name(word));
            return Ok(told.then_some(Self::Pattern(grammar)));
        }
        let names = rule
            .beside
            .iter()
            .map(|name| Ok((name.clone(), Grammar::read(name)?)));
        let names = names.collect::<Result<_>>()?;
        let value = rule.value.as_deref().map(Grammar::read).transpose()?;
        let told = value.as_ref().is_none_or(|value| !value.is_open());
        Ok(told.then_some(Self::Beside(names, value)))
    }

    fn sample(&self, rule: &Rule, at: usize, random: &mut Random) -> Result<Option<Sample>> {
        match self {
            Self::Pattern(grammar) => {
                let Some(marked) = finish(rule, grammar.text(random)?, random) else {
                    return Ok(None);
                };
                let neutral = random.one(&NEUTRAL);
                let name = match rule.keywords.first() {
                    Some(word) => format!("{word}_{neutral}"),
                    None => neutral.to_owned(),
                };
                Ok(Some(Sample::Value {
                    name,
                    kept: None,
                    marked,
                }))
            }
            Self::Beside(names, value) => {
                let Some((kept, name)) = name(names, at, random)? else {
                    return Ok(None);
                };
                let text = match value {
                    Some(value) => value.text(random)?,
                    None => plain(judged(rule, random)?),
                };
                let kept = Some(kept);
                Ok(finish(rule, text, random).map(|marked| Sample::Value { name, kept, marked }))
            }
        }
    }
}

fn plain(text: String) -> Text {
    Text {
        text,
        ..Text::default()
    }
}

/// A name that one of the patterns describes, alone or as the end of a longer one.
fn name(
    names: &[(String, Grammar)],
    at: usize,
    random: &mut Random,
) -> Result<Option<(String, String)>> {
    for turn in 0..names.len() * 4 {
        let Some((pattern, grammar)) = names.get((at + turn) % names.len()) else {
            break;
        };
        let text = grammar.text(random)?.text;
        // Carriers have their own ways to write names, but for those whose case tells what they are.
        let text = match pattern.contains("(?-i") {
            true => text,
            false => text.to_ascii_lowercase(),
        };
        let name = match text.strip_prefix(['_', '-', '.']) {
            Some(rest) => format!("db_{rest}"),
            None => text,
        };
        if is_name(&name) {
            return Ok(Some((pattern.clone(), with_noun(name))));
        }
    }
    Ok(None)
}

/// An issuer's name alone is no name of a key.
fn with_noun(name: String) -> String {
    const NOUNS: [&str; 12] = [
        "key", "token", "secret", "pass", "pw", "auth", "cred", "dsn", "pat", "login", "sid", "sk",
    ];
    if NOUNS.iter().any(|noun| name.contains(noun)) {
        return name;
    }
    format!("{name}_api_key")
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// Makes the checksum right, adds what follows a pattern, and marks the secret.
fn finish(rule: &Rule, text: Text, random: &mut Random) -> Option<String> {
    let secret = text.secret.clone().unwrap_or(0..text.text.len());
    if rule.extend.as_deref() == Some("pem") {
        return Some(with_pem_body(&text.text, random));
    }
    if let (Some(judge), true) = (&rule.judge, text.secret.is_some()) {
        return chosen(rule, judge, &text.text, &secret, random);
    }
    let Some(check) = &rule.check else {
        let (before, after) = (text.text.get(..secret.start)?, text.text.get(secret.end..)?);
        let alone = before.bytes().chain(after.bytes()).all(|byte| byte == b'"');
        // Quotes alone are the carrier's to give.
        return Some(if alone {
            mark(text.text.get(secret)?)
        } else {
            mark_ranges(&text.text, &[secret])
        });
    };
    let core = text.core.clone().unwrap_or(secret.clone());
    let mended = forge::mend(check, text.text.get(core.clone())?, random)?;
    let grown = |at: usize| {
        if at >= core.end {
            at + mended.len() - core.len()
        } else {
            at
        }
    };
    let range = secret.start..grown(secret.end);
    let mut whole = text.text.clone();
    whole.replace_range(core.clone(), &mended);
    Some(mark_ranges(&whole, &[range]))
}

/// A pattern's text with a secret that a person or a generator chose, if the pattern allows it.
fn chosen(
    rule: &Rule,
    judge: &str,
    text: &str,
    at: &Range<usize>,
    random: &mut Random,
) -> Option<String> {
    let pattern = regex::Regex::new(rule.pattern.as_deref()?).ok()?;
    (0..50).find_map(|_| {
        let secret = by_judge(judge, random);
        let mut whole = text.to_owned();
        whole.replace_range(at.clone(), &secret);
        let found = pattern.captures(&whole)?.name("secret")?;
        (found.as_str() == secret).then(|| mark_ranges(&whole, &[found.range()]))
    })
}

/// A value that the rule's judge should take. A rule may allow what others find, and be there for UUIDs alone.
fn judged(rule: &Rule, random: &mut Random) -> Result<String> {
    let allow = RegexSet::new(&rule.allow)?;
    let judge = rule.judge.as_deref().unwrap_or_default();
    let usual = (0..9)
        .map(|_| by_judge(judge, random))
        .find(|value| !allow.is_match(value));
    Ok(usual.unwrap_or_else(|| forge::uuid(random)))
}

fn by_judge(judge: &str, random: &mut Random) -> String {
    match judge {
        "password" => forge::password(random),
        "chosen" => forge::strong_password(random),
        _ => forge::random_key(random),
    }
}

/// A key's first line, and what follows from it.
fn with_pem_body(first: &str, random: &mut Random) -> String {
    let body = forge::private_key_body(random);
    let last = first.replacen("BEGIN", "END", 1);
    mark(&format!("{first}\n{body}\n{last}"))
}
