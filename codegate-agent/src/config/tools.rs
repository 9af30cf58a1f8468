//! The AI tools that CodeGate knows by name: for people, who want to see `claude` and not `node`.
//!
//! They are guarded as any process is; what a tool starts carries its name.

use std::path::Path;

use super::command::runs;
use crate::flow::Process;

/// A tool and how it is recognised.
struct Tool {
    name: &'static str,
    /// The executable's name, or the end of its path from a slash on. A last part of `*` stands for any.
    executables: &'static [&'static str],
    /// The script's name, or the end of its path, where an interpreter runs it.
    scripts: &'static [&'static str],
}

/// The tool that a process is, or was started by.
pub fn tool(process: &Process) -> Option<&'static str> {
    let ancestors = process.ancestors.iter().map(AsRef::as_ref);
    std::iter::once(process).chain(ancestors).find_map(itself)
}

fn itself(process: &Process) -> Option<&'static str> {
    let is = |tool: &&Tool| {
        let named = |exe: &Path| tool.executables.iter().any(|end| ends_with(exe, end));
        process.exe.as_deref().is_some_and(named)
            || tool.scripts.iter().any(|script| runs(process, script))
    };
    TOOLS.iter().find(is).map(|tool| tool.name)
}

fn ends_with(exe: &Path, end: &str) -> bool {
    match end.strip_suffix("/*") {
        Some(folder) => exe.parent().is_some_and(|parent| parent.ends_with(folder)),
        None => exe.ends_with(end),
    }
}

const fn tool_of(
    name: &'static str,
    executables: &'static [&'static str],
    scripts: &'static [&'static str],
) -> Tool {
    Tool {
        name,
        executables,
        scripts,
    }
}

/// From the tools' own packages and installers.
const TOOLS: &[Tool] = &[
    tool_of("aider", &["aider"], &["aider"]),
    tool_of("amp", &["amp"], &["amp", "@sourcegraph/amp/dist/main.js"]),
    tool_of(
        "augment",
        &["auggie"],
        &["auggie", "@augmentcode/auggie/augment.mjs"],
    ),
    tool_of(
        "claude",
        &["claude", "claude/versions/*"],
        &["claude", "@anthropic-ai/claude-code/cli.js"],
    ),
    tool_of("cline", &["cline"], &["cline"]),
    tool_of(
        "code",
        &["code", "code-insiders", "codium", "code-server"],
        &["code-server"],
    ),
    tool_of(
        "codex",
        &["codex"],
        &["codex", "@openai/codex/bin/codex.js"],
    ),
    tool_of("continue", &["cn"], &["cn", "@continuedev/cli/dist/cn.js"]),
    tool_of(
        "copilot",
        &["copilot", "copilot-language-server"],
        &[
            "copilot",
            "@github/copilot/index.js",
            "@github/copilot-language-server/dist/language-server.js",
        ],
    ),
    tool_of("crush", &["crush"], &["crush"]),
    tool_of("cursor", &["cursor", "cursor-agent"], &["cursor-agent"]),
    tool_of("droid", &["droid"], &["droid"]),
    tool_of(
        "gemini",
        &["gemini"],
        &["gemini", "@google/gemini-cli/dist/index.js"],
    ),
    tool_of("goose", &["goose", "goosed"], &[]),
    tool_of(
        "jetbrains",
        &[
            "clion",
            "datagrip",
            "goland",
            "idea",
            "phpstorm",
            "pycharm",
            "rider",
            "rubymine",
            "rustrover",
            "webstorm",
            "jbr/bin/java",
        ],
        &[],
    ),
    tool_of("kiro", &["kiro", "kiro-cli"], &[]),
    tool_of("lmstudio", &["lm-studio", "lms"], &[]),
    tool_of("ollama", &["ollama"], &[]),
    tool_of("opencode", &["opencode"], &["opencode"]),
    tool_of("q", &["q", "qchat"], &[]),
    tool_of("qwen", &["qwen"], &["qwen", "@qwen-code/qwen-code/cli.js"]),
    tool_of("windsurf", &["windsurf"], &[]),
    tool_of("zed", &["zed", "zed-editor", "zeditor"], &[]),
];

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::command::tests::process;

    #[test]
    fn tools_are_known_by_what_they_run() {
        for (line, expected) in [
            (
                "/home/me/.local/share/claude/versions/2.1.4 claude",
                Some("claude"),
            ),
            (
                "/usr/bin/node node /usr/lib/node_modules/@anthropic-ai/claude-code/cli.js",
                Some("claude"),
            ),
            (
                "/usr/bin/node node /usr/local/bin/codex exec",
                Some("codex"),
            ),
            (
                "/usr/bin/python3.13 python /home/me/.venv/bin/aider",
                Some("aider"),
            ),
            (
                "/opt/idea-IU-253/jbr/bin/java java -cp x",
                Some("jetbrains"),
            ),
            ("/usr/bin/node node server.js", None),
            ("/usr/bin/curl curl claude", None),
        ] {
            assert_eq!(tool(&process(line)), expected, "{line}");
        }
    }

    #[test]
    fn what_a_tool_starts_carries_its_name() {
        let ancestors = [
            "/bin/bash bash -c x",
            "/usr/bin/node node /usr/bin/claude",
            "/usr/bin/zed zed",
        ];
        let child = Process {
            ancestors: ancestors.map(process).map(Arc::new).into(),
            ..process("/usr/bin/curl curl x")
        };
        assert_eq!(tool(&child), Some("claude"));
    }

    #[test]
    fn the_table_is_sorted_and_names_nobody_twice() {
        let names: Vec<_> = TOOLS.iter().map(|tool| tool.name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }
}
