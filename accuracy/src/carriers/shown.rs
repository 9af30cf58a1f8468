//! How a text is shown: by a tool, in a message, or in the middle of other text.

use super::{Shown, escaped};

/// All of them.
pub(crate) const SHOWN: [Shown; 9] = [
    Shown {
        name: "crlf",
        write: |text| text.replace("\r\n", "\n").replace('\n', "\r\n"),
    },
    Shown {
        name: "diff-added",
        write: |text| diff(text, '+'),
    },
    Shown {
        name: "diff-removed",
        write: |text| diff(text, '-'),
    },
    Shown {
        name: "cat-n",
        write: numbered,
    },
    Shown {
        name: "read-tool",
        write: arrowed,
    },
    Shown {
        name: "grep",
        write: grep,
    },
    Shown {
        name: "markdown",
        write: fence,
    },
    Shown {
        name: "escaped-1",
        write: |text| format!("10:00:01 INFO sent {{\"body\":\"{}\"}} ok\n", escaped(text)),
    },
    Shown {
        name: "escaped-2",
        write: |text| {
            let inner = format!("{{\"body\":\"{}\"}}", escaped(text));
            format!(
                "10:00:01 INFO sent {{\"event\":\"{}\"}} ok\n",
                escaped(&inner)
            )
        },
    },
];

fn lines(text: &str, write: impl Fn(usize, &str) -> String) -> String {
    text.lines()
        .enumerate()
        .map(|(at, line)| write(at + 1, line))
        .collect()
}

fn diff(text: &str, sign: char) -> String {
    let body = lines(text, |_, line| format!("{sign}{line}\n"));
    format!(
        "diff --git a/conf b/conf\nindex 3f1a2b4..9c0d1e2 100644\n--- a/conf\n+++ b/conf\n@@ -1,3 +1,4 @@\n # kept\n{body} # kept too\n"
    )
}

fn numbered(text: &str) -> String {
    lines(text, |at, line| format!("{at:6}\t{line}\n"))
}

fn arrowed(text: &str) -> String {
    lines(text, |at, line| format!("{at:5}\u{2192}{line}\n"))
}

fn grep(text: &str) -> String {
    lines(text, |at, line| format!("src/conf/app.conf:{at}:{line}\n"))
}

fn fence(text: &str) -> String {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("Here is what I have:\n\n```sh\n{text}{end}```\n\nWhy does it fail?\n")
}
