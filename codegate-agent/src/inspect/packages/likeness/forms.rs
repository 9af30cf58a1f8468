//! Forms in which names that are taken for one another are the same.

use std::borrow::Cow;

use crate::inspect::packages::Ecosystem;

/// The name as fingers type it, who seldom reach for capitals.
pub(super) fn typed(name: &str) -> Cow<'_, str> {
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    }
}

/// The name as the eye may read it: look-alikes are one letter, separators and scopes are nothing.
pub(super) fn folded(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    each_folded(name, |c| folded.push(c));
    folded
}

/// A hash of the same.
pub(super) fn folded_hash(name: &str) -> u64 {
    let mut hash = Hash::default();
    each_folded(name, |c| hash.add(c.into()));
    hash.finish()
}

fn each_folded(name: &str, mut each: impl FnMut(char)) {
    /// What most names are made of has its answers ready.
    static ASCII: [Option<char>; 128] = {
        let mut ascii = [None; 128];
        let mut byte = 0_u8;
        while byte < 128 {
            ascii[byte as usize] = alike(byte.to_ascii_lowercase() as char);
            byte += 1;
        }
        ascii
    };
    // What the next one may yet make another letter of.
    let mut last = None;
    for c in name.chars() {
        let read = match ASCII.get(c as usize) {
            Some(read) => *read,
            None => alike(c.to_lowercase().next().unwrap_or(c)),
        };
        last = match (last, read) {
            (last, None) => last,
            (Some('r'), Some('n')) => Some('m'),
            (Some('v'), Some('v')) => Some('w'),
            (last, read) => {
                last.into_iter().for_each(&mut each);
                read
            }
        };
    }
    last.into_iter().for_each(each);
}

/// The Latin letter that a character in lower case looks like; `None` for what only separates letters.
/// The pairs are those of Unicode's table of confusables that fonts for code do not tell apart.
const fn alike(c: char) -> Option<char> {
    Some(match c {
        '-' | '_' | '.' | '/' | '@' | ':' => return None,
        '0' | 'о' | 'ο' | 'օ' | 'ö' | 'ó' | 'ò' | 'ø' => 'o',
        '1' | 'і' | 'ı' | 'ι' | 'í' | 'ì' | 'ï' | 'ӏ' | '|' | 'i' => 'l',
        'а' | 'α' | 'á' | 'à' | 'ä' | 'â' | 'ã' | 'å' => 'a',
        'в' | 'ь' => 'b',
        'с' | 'ϲ' | 'ç' => 'c',
        'ԁ' => 'd',
        'е' | 'ҽ' | 'é' | 'è' | 'ë' | 'ê' => 'e',
        'ɡ' | 'ց' => 'g',
        'һ' | 'հ' => 'h',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' => 'm',
        'п' | 'ո' | 'ñ' => 'n',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' | 'ü' | 'ú' | 'ù' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' | 'ý' => 'y',
        'ᴢ' => 'z',
        c => c,
    })
}

/// A hash of a text, one character or byte after the other: whoever finds one compares the names.
#[derive(Default)]
struct Hash(u64);

impl Hash {
    fn add(&mut self, next: u32) {
        /// An odd number without a pattern.
        const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
        self.0 = self
            .0
            .wrapping_mul(FACTOR)
            .wrapping_add(u64::from(next) + 1);
    }

    /// Spreads what the last characters say over all bits.
    fn finish(&self) -> u64 {
        let hash = (self.0 ^ (self.0 >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        hash ^ (hash >> 29)
    }
}

/// A hash of a name as it is.
pub(super) fn hash(name: &str) -> u64 {
    let mut hash = Hash::default();
    name.bytes().for_each(|byte| hash.add(byte.into()));
    hash.finish()
}

/// A hash of the name's words, whatever their order; `None` if it has but one.
pub(super) fn words(name: &str) -> Option<u64> {
    let (mut several, mut sum, mut word) = (false, 0_u64, Hash::default());
    for byte in name.bytes() {
        match byte {
            b'/' | b':' => return None,
            b'-' | b'_' | b'.' => {
                several = true;
                sum = sum.wrapping_add(word.finish());
                word = Hash::default();
            }
            byte => word.add(byte.into()),
        }
    }
    several.then(|| sum.wrapping_add(word.finish()))
}

/// In Maven, the coordinates without the first part of the group: `com` and `org` are mistaken for
/// each other.
pub(super) fn without_group_root(name: &str) -> Option<&str> {
    let (group, _) = name.split_once(':')?;
    let root = group.find('.')?;
    name.get(root + 1..)
}

/// The name's words in the order of the alphabet; `None` if it has but one.
pub(super) fn shuffled(name: &str) -> Option<String> {
    let mut words: Vec<&str> = name.split(['-', '_', '.']).collect();
    let in_path = name.contains(['/', ':']);
    words.sort_unstable();
    (words.len() > 1 && !in_path).then(|| words.join("-"))
}

/// The name without the number at its end, as people who forget it type `beautifulsoup4`.
pub(super) fn without_number(name: &str) -> Option<&str> {
    const LONG: usize = 8;
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
    (bare.len() >= LONG && bare.len() < name.len()).then_some(bare)
}

/// The name without a word that says nothing, as `lodash` of `lodash-utils` and `lodashutils`.
pub(super) fn without_praise(name: &str) -> Option<&str> {
    const WORDS: [&str; 24] = [
        "addon", "enhanced", "ex", "fix", "fixed", "helper", "helpers", "latest", "lib", "libs",
        "library", "new", "next", "official", "patched", "plus", "pro", "secure", "stable", "tool",
        "tools", "util", "utils", "v2",
    ];
    /// Shorter ones end many words.
    const LONG: usize = 3;
    let version = |word: &str| {
        let number = word.strip_prefix('v').unwrap_or_default();
        !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    };
    if let Some((bare, word)) = name.rsplit_once(['-', '_', '.']) {
        return (WORDS.contains(&word) || version(word)).then_some(bare);
    }
    let glued = WORDS.iter().filter(|word| word.len() >= LONG);
    let mut glued = glued.filter_map(|word| name.strip_suffix(word));
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let numbered = bare.strip_suffix('v').filter(|_| bare.len() < name.len());
    glued.find(|bare| bare.len() > LONG).or(numbered)
}

/// The name without a number that is added, as `react` of `react18`.
pub(super) fn without_release(name: &str) -> Option<&str> {
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let bare = bare.strip_suffix('-').unwrap_or(bare);
    // What ends in a number anyway is of a series.
    (bare.len() < name.len() && bare.len() >= 4).then_some(bare)
}

/// The name without a word for the language, as `lodash` of `lodash-js`.
pub(super) fn without_language(ecosystem: Ecosystem, name: &str) -> Option<&str> {
    let (before, after): (&[&str], &[&str]) = match ecosystem {
        Ecosystem::Npm => (
            &["node-", "nodejs-", "js-", "npm-"],
            &["-js", ".js", "js", "-node", "-nodejs", "-npm"],
        ),
        Ecosystem::PyPI => (
            &["python-", "python3-", "py-", "py"],
            &["-python", "-python3", "-py", "-py3"],
        ),
        Ecosystem::Crates => (&["rust-"], &["-rust", "-rs", "-crate"]),
        Ecosystem::RubyGems => (&["ruby-"], &["-ruby", "-rb", "-gem"]),
        _ => (&[], &[]),
    };
    let cut = before.iter().find_map(|affix| name.strip_prefix(affix));
    cut.or_else(|| after.iter().find_map(|affix| name.strip_suffix(affix)))
}
