//! Real clients, as `cargo xtask setup` installs them.

use std::path::PathBuf;

use crate::{Dialect, agent::target, place::Place, process::Cmd};

/// curl, as the machine has it: no configuration, no switches about trust.
#[must_use]
pub fn curl(place: &Place) -> Cmd {
    place
        .cmd("curl")
        .args(["--silent", "--show-error", "--max-time", "30"])
}

/// curl, posting JSON.
#[must_use]
pub fn post(place: &Place, url: &str, body: &str) -> Cmd {
    curl(place)
        .args(["--no-buffer", "--header", "content-type: application/json"])
        .args([
            "--header",
            "authorization: Bearer sk-lab",
            "--data-binary",
            "@-",
            url,
        ])
        .input(body)
}

/// What a model at [`Dialect::Chat`]'s host answers to a text, by curl.
///
/// # Panics
/// Where it does not answer.
#[must_use]
pub fn told(place: &Place, text: &str) -> String {
    let body = Dialect::Chat.request(text, false).to_string();
    let done = post(place, &Dialect::Chat.url(), &body).run().ok();
    Dialect::Chat.said(&done.text(), false)
}

/// A Python program that may use the official SDKs `openai` and `anthropic`.
///
/// # Panics
/// Where they are not installed.
#[must_use]
pub fn python(place: &Place, program: &str) -> Cmd {
    python_words(place.cmd(python_binary()), program)
}

/// The interpreter that has the SDKs.
///
/// # Panics
/// Where it is not installed.
#[must_use]
pub fn python_binary() -> PathBuf {
    installed("python/bin/python")
}

/// What goes after the interpreter's name, for a program that something else starts.
#[must_use]
pub fn python_words(cmd: Cmd, program: &str) -> Cmd {
    cmd.args(["-c", program])
        .env("OPENAI_API_KEY", "sk-lab")
        .env("ANTHROPIC_API_KEY", "sk-ant-lab")
        .env("PYTHONDONTWRITEBYTECODE", "1")
}

/// A program for Node (CommonJS) that may use the official SDKs `openai` and `@anthropic-ai/sdk`.
///
/// # Panics
/// Where they are not installed.
#[must_use]
pub fn node(place: &Place, program: &str) -> Cmd {
    // Node trusts what is compiled into it, and what it is told to.
    place
        .cmd("node")
        .args(["-e", program])
        .env("NODE_PATH", installed("node/node_modules"))
        .env("NODE_EXTRA_CA_CERTS", "/etc/ssl/certs/ca-certificates.crt")
        .env("OPENAI_API_KEY", "sk-lab")
        .env("ANTHROPIC_API_KEY", "sk-ant-lab")
}

/// Claude Code's binary.
///
/// # Panics
/// Where it is not installed.
#[must_use]
pub fn claude() -> PathBuf {
    installed("bin/claude")
}

/// The words of one question to Claude Code.
#[must_use]
pub fn claude_asked(cmd: Cmd, prompt: &str) -> Cmd {
    cmd.env("ANTHROPIC_API_KEY", "sk-ant-lab")
        .env("IS_SANDBOX", "1")
        .args(["-p", prompt, "--output-format", "stream-json", "--verbose"])
        .args(["--allowedTools", "Bash"])
        .limit(std::time::Duration::from_secs(120))
}

fn installed(path: &str) -> PathBuf {
    let path = target().join("clients").join(path);
    assert!(
        path.exists(),
        "{} is missing: `cargo xtask setup` installs it",
        path.display()
    );
    path
}
