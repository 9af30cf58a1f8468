//! Scripts: words as a shell takes them, and the commands that are in pieces of code.
//!
//! Knows: quotes. Must not know: tools, their arguments, any language well.

/// A word that a shell takes as it is.
pub(super) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// The commands that a piece of code gives to a shell: lines of a notebook that begin with `!` or
/// `%`, strings, and lists of strings.
pub(super) fn in_code(code: &str) -> Vec<String> {
    let mut commands: Vec<String> = code
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix(['!', '%']))
        .map(str::to_owned)
        .collect();
    let mut list: Vec<String> = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['"', '\'', '`']) {
        let (between, from) = rest.split_at(at);
        if !between.trim().trim_matches(',').trim().is_empty() {
            commands.extend(joined(&mut list));
        }
        let (text, after) = literal(from);
        list.push(text);
        rest = after;
    }
    commands.extend(joined(&mut list));
    commands
}

/// The strings of a list, each as a command, and all as the words of one.
fn joined(list: &mut Vec<String>) -> Vec<String> {
    let words: Vec<String> = list.iter().map(|word| quote(word)).collect();
    let mut commands = std::mem::take(list);
    if words.len() > 1 {
        commands.push(words.join(" "));
    }
    commands
}

/// The string that a code begins with, and what follows it.
fn literal(code: &str) -> (String, &str) {
    let mut chars = code.char_indices();
    let quote = chars.next().map(|(_, c)| c);
    let mut text = String::new();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => text.extend(chars.next().map(|(_, c)| if c == 'n' { '\n' } else { c })),
            c if Some(c) == quote => return (text, code.get(at + 1..).unwrap_or_default()),
            c => text.push(c),
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_code_are_commands_alone_and_as_words() {
        for (code, expected) in [
            (
                "!pip install x\n%pip list",
                vec!["pip install x", "pip list"],
            ),
            ("os.system(\"a \\\"b\\\" c\")", vec!["a \"b\" c"]),
            (
                "run(['npm', \"i\",\n 'x y'])",
                vec!["npm", "i", "x y", "npm i 'x y'"],
            ),
            ("f('a'); g(`b`)", vec!["a", "b"]),
            ("'open", vec!["open"]),
            ("no strings", vec![]),
        ] {
            assert_eq!(in_code(code), expected, "{code}");
        }
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_split_them() {
        for (word, quoted) in [
            ("a-b/c@1", "a-b/c@1"),
            ("a b", "'a b'"),
            ("", "''"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(quote(word), quoted);
        }
    }
}
