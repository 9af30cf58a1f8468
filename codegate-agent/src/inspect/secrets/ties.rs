//! What stands between a name and its value, in whatever syntax.
//!
//! Knows: expressions. Must not know: which names and values are secrets, or where either ends.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::pattern;

/// What may follow a name: its closing quote, an array's bounds. Signs that can end a name can also begin a tie.
const TAIL: &str = concat!(
    r#"^[.-]*(?:\\{0,7}["'`\])]){0,3}"#,
    r"(?:\[[0-9A-Za-z_]{0,8}\])?(?:[ ]?\([^()'\x22=\n]{1,24}\))?[ \t]{0,32}(?:[.]{2,32}[ ]?)?", // columns are aligned
);

/// A value's opening quote, with a string prefix, with backslashes, within another quote.
const QUOTE: &str = r#"(?:[@$BFLNRUbflnru]{0,2}(?:"""|(?:\\{1,7}"){3}|'''|"'|'"|(?:(?:\\{0,7}["'])?\\{1,7})?["'`]))"#;

/// A quote of another language's.
const FOREIGN: &str = "(?:„|“|«[ ]?|‹|‘|「|『)";

/// White space, or the escapes of it that a string in JSON has.
const SPACE: &str = r"(?:\s|\\{1,7}[nrt]){0,16}";

/// A pair of `name` and `value`, or `key` and `value`, with one more between them; elements side by
/// side, or words of a command.
fn pair() -> String {
    [
        r"(?:",
        r"(?:[,;]",
        SPACE,
        r#"|(?:\s|\\{1,7}[nrt]){1,24}|\r?\n[ ]{0,40}[+-][ ]{1,40})(?:(?:\\{0,3}["'])?[A-Za-z]{2,12}\\{0,3}["']\s?:\s?(?:\\{0,3}["'][A-Za-z0-9_-]{0,24}\\{0,3}["']|true|false|[0-9]{1,6})(?:,\s{0,16}|\s{1,16}))?"#,
        r#"(?:\\{0,3}["']?|--?)(?:[a-z]{1,12}:)?(?i:value)(?:\\{0,3}["']?[ \t]{0,2}[:=]|[ ])"#,
        r"|>\s{1,24}<(?i:value)>",
        r"|</[A-Za-z]{2,12}>",
        SPACE,
        r"<(?i:string|value|data)(?:[ ][^<>\n]{1,40})?>",
        r#"|(?:[A-Za-z:-]{1,16}=\\{0,7}["'][^"'<>\n\\]{0,40}\\{0,7}["'][ ]{0,2}){1,3}>"#, // an element's attributes
        r#"|:[ ]?\{"#, // a typed value
        SPACE,
        r#"(?:\\{0,3}["'][a-z_]{1,16}\\{0,3}["'][ ]?:[ ]?(?:true|false|\\{0,3}["'][A-Za-z]{0,16}\\{0,3}["']),"#,
        SPACE,
        r#"){0,3}\\{0,3}["'](?:S|(?i:value)|default)\\{0,3}["'][ ]?:"#,
        r")",
        SPACE,
    ]
    .concat()
}

/// What ties a value to a name in whatever text: an operator, or a type. The value's quotes may be
/// missing.
const LOOSE: &str = concat!(
    r"(?:",
    r"\??:[ ]?[&A-Za-z][A-Za-z<>' ]{0,16}[ ]=[ ]", // a type: `: &'static str =`
    r"|>\s{0,40}|\|[ ]",
    r"|=>|:{1,3}=|:-|[|&?+.!]{0,2}={1,3}|:|,|%3[AaDd]|：|是|は|为",
    r")[ \t]{0,32}(?:!!str[ ]|\*\*)?",
);

/// What does so only if a quote follows: a call, a type, a default, white space.
const STRICT: &str = concat!(
    r"(?:",
    r"(?:\??:[ ]?[&A-Za-z][A-Za-z0-9_<>.,'& \[\]?]{0,40}|[A-Za-z*][A-Za-z0-9_.*<>\[\]]{0,24}[ ]?|[Aa]s[ ][A-Z][a-z]{2,12}[ ]?|\{[^}\x22'\n]{0,30}\}[ ]?)=",
    r"|(?:CONSTANT[ ])?[A-Z][A-Z0-9]{2,12}\([0-9]{1,5}\)[ ]{1,4}:=",
    r"|=>|:{1,3}=|[|&?+.!]{0,2}={1,3}|:|->|<-|-[ ]|to[ ]|\|\||\?\?|or[ ]",
    r"|,\s{0,8}(?:[a-z_]{1,10}=[^,\x22'\n]{1,20},\s{0,8}){0,3}(?:(?i:default[a-z]{0,8})[ ]?=|)",
    r"|\|[ ]default[ ]",
    r"|\{\s{1,16}(?:[a-z]{4,12}[ ]{0,12}=[ ][^\n]{0,60}\n\s{0,8}){0,3}default[ ]{0,12}=",
    r"|\)\.to(?:Be|Equal|StrictEqual)\(|[({]|[ \t])",
    r"(?:[ \t]{0,32}|[ ]?\r?\n[ \t]{1,32}|[ ]?(?:\\{1,3}r)?\\{1,3}n[ ]{1,32})", // what is long stands below
    r"(?:(?:new[ ])?(?:[A-Za-z_]{1,20}(?:::|\.)){0,2}[A-Za-z]{0,12}(?i:string|str|secret|bytes|decode|field|fromhex|from|some|env|fetch|sensitive|new|of|\[\]byte)\(|[(\[{]|<<)?[ ]?",
);

/// What a function of that name returns.
fn returned() -> String {
    [
        r"(?:\(\)(?::[ ][A-Z][A-Za-z?]{2,12})?[ ]=[ ]",
        r"|(?:(?:[:=][ ](?:async[ ])?)?\([^()\n\x22']{0,40}\))?", // the tail may have taken its parameters
        r"(?:(?:[^\n(){}=;\x22']|&'static){0,24}(?:[:{]|=>[ ]?\{|\s{1,16}\{)",
        SPACE,
        r"return[ (]{1,2}|[ ]->(?:[^\n(){}=;\x22']|&'static){0,24}\{[ ]|[ ]?=>[ ]))",
    ]
    .concat()
}

/// What ties values to names: the first of the four that fits, behind as much of a tail as there is. All
/// rules share it: a clone would build its automaton's states anew, which takes longer than looking.
pub(super) static TIES: LazyLock<Result<Regex, String>> = LazyLock::new(|| {
    let (pair, returned) = (pair(), returned());
    pattern::compile(&format!(
        "{TAIL}(?:{pair}{QUOTE}?|{returned}{QUOTE}|{STRICT}{QUOTE}|{LOOSE}(?:{QUOTE}|{FOREIGN})?)"
    ))
});

/// What ties a value that has a form of its own to the name of its service when somebody says it in words, or
/// makes a word of both: `api key 0123…`, `-token-0123…`.
const IN_WORDS: &str = concat!(
    r"^(?:[ ._-]?(?i:access|api|app|auth|client|key|private|secret|token)){0,3}",
    r"[ ._-]?(?i:access|api|auth|key|private|secret|token)",
    r#"(?:[ ]is)?(?:[ ]{0,2}[:=](?:[ .-][ ]{0,2})?["'`]?|[ .-][ ]{0,2}["'`]?|["'`])"#,
);

pub(super) static SAID: LazyLock<Result<Regex, String>> =
    LazyLock::new(|| pattern::compile(IN_WORDS));
