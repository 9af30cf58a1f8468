//! Commands and files in the arguments of calls, and how they are refused.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::*;
use crate::{provider::Restore, seal::Placeholder};

/// Refuses whatever installs `bad`.
#[derive(Default)]
struct Refuser {
    commands: Vec<String>,
    files: Vec<(String, String, bool)>,
}

impl Restore for Refuser {
    fn value(&mut self, _: &Placeholder) -> Option<Zeroizing<Vec<u8>>> {
        None
    }
    fn mangled(&mut self, _: &[u8]) {}
}

impl Watch for Refuser {
    fn command(&mut self, text: &str) -> Option<String> {
        self.commands.push(text.to_owned());
        text.contains("i bad").then(|| "it's \"bad\"".to_owned())
    }
    fn file(&mut self, name: &str, text: &str, whole: bool) -> Option<String> {
        self.files.push((name.to_owned(), text.to_owned(), whole));
        text.contains("bad").then(|| "no \"bad\"".to_owned())
    }
}

const SHELL: &str = r#"echo 'it'\''s "bad"' >&2; false"#;

fn judged(name: &str, arguments: &Value) -> Option<Value> {
    let bytes = arguments.to_string();
    let new = judge(name, bytes.as_bytes(), false, &mut Refuser::default())?;
    Some(serde_json::from_slice(&new).unwrap())
}

#[test]
fn only_the_command_is_replaced() {
    for (name, given, expected) in [
        (
            "Bash",
            json!({"command": "npm i bad", "timeout": 5}),
            json!({"command": SHELL, "timeout": 5}),
        ),
        (
            "anything",
            json!({"cwd": "/", "command": "npm i bad"}),
            json!({"cwd": "/", "command": SHELL}),
        ),
        (
            "run_command",
            json!({"CommandLine": "npm i bad"}),
            json!({"CommandLine": SHELL}),
        ),
        (
            "my_terminal",
            json!({"what": "npm i bad"}),
            json!({"what": SHELL}),
        ),
        (
            "shell",
            json!({"command": ["npm", "i", "bad"]}),
            json!({"command": ["sh", "-c", SHELL]}),
        ),
        (
            "shell",
            json!({"command": ["bash", "-lc", "cd x && npm i bad"]}),
            json!({"command": ["bash", "-lc", SHELL]}),
        ),
        (
            "x",
            json!({"action": {"commands": ["ls", "npm i bad"]}}),
            json!({"action": {"commands": ["ls", SHELL]}}),
        ),
        (
            "x",
            json!({"cmd": [{"args": ["npm", "i", "bad"]}]}),
            json!({"cmd": [{"args": ["sh", "-c", SHELL]}]}),
        ),
    ] {
        assert_eq!(judged(name, &given), Some(expected), "{given}");
    }
    assert_eq!(judged("Bash", &json!({"command": "npm i good"})), None);
    assert_eq!(judged("Write", &json!({"content": "npm i bad"})), None);
}

/// Marks what is refused, and remembers it.
#[derive(Default)]
struct Marking(Vec<(String, String)>);

impl Restore for Marking {
    fn value(&mut self, _: &Placeholder) -> Option<Zeroizing<Vec<u8>>> {
        None
    }
    fn mangled(&mut self, _: &[u8]) {}
}

impl Watch for Marking {
    fn command(&mut self, text: &str) -> Option<String> {
        text.contains("i bad").then(|| "no".to_owned())
    }

    fn replaced(
        &mut self,
        original: &str,
        reason: &str,
        written: &dyn Fn(&str) -> String,
    ) -> String {
        let written = written(&format!("{reason} [{}]", self.0.len()));
        self.0.push((written.clone(), original.to_owned()));
        written
    }
}

#[test]
fn what_is_replaced_is_told_as_it_stood() {
    for (name, given, path, original) in [
        (
            "Bash",
            json!({"command": "cd \"é\"\nnpm i bad"}),
            "/command",
            "cd \"é\"\nnpm i bad",
        ),
        (
            "shell",
            json!({"command": ["/bin/bash", "-lc", "npm i bad"]}),
            "/command/2",
            "npm i bad",
        ),
        (
            "shell",
            json!({"command": ["npm", "i", "bad"]}),
            "/command/2",
            "npm i bad",
        ),
        (
            "python",
            json!({"code": "x = 1\nf('npm i bad')"}),
            "/code",
            "x = 1\nf('npm i bad')",
        ),
    ] {
        let mut marking = Marking::default();
        let new = judge(name, given.to_string().as_bytes(), false, &mut marking).unwrap();
        let new: Value = serde_json::from_slice(&new).unwrap();
        let written = new.pointer(path).unwrap().as_str().unwrap();
        assert_eq!(
            marking.0,
            [(written.to_owned(), original.to_owned())],
            "{given}"
        );
        assert!(written.contains("no [0]"));
    }
    let mut marking = Marking::default();
    let new = judge("exec", b"f(`npm i bad`)", true, &mut marking).unwrap();
    let written = String::from_utf8(new).unwrap();
    assert_eq!(marking.0, [(written, "f(`npm i bad`)".to_owned())]);
}

#[test]
fn code_is_searched_for_commands() {
    for code in [
        "!npm i bad",
        "import os\nos.system('npm i bad')",
        "subprocess.run([\"npm\", 'i', \"bad\"], check=True)",
    ] {
        let new = judged("execute_ipython_cell", &json!({ "code": code })).unwrap();
        assert_eq!(new["code"], r#"raise SystemExit("it's \"bad\"")"#, "{code}");
    }
    let input = b"await tools.exec_command({cmd: `npm i bad`})";
    let new = judge("exec", input, true, &mut Refuser::default()).unwrap();
    assert_eq!(new, br#"throw new Error("it's \"bad\"");"#);
    assert_eq!(
        judge("exec", b"text(\"npm\")", true, &mut Refuser::default()),
        None
    );
}

const NOWHERE: &str = "/dev/null/no \"bad\"";

#[test]
fn of_a_file_only_its_name_is_replaced() {
    for (name, given, expected) in [
        (
            "Write",
            json!({"content": "npm i bad", "file_path": "/é/p.json", "n": [1]}),
            json!({"content": "npm i bad", "file_path": NOWHERE, "n": [1]}),
        ),
        (
            "Edit",
            json!({"file_path": "/x", "old_string": "i bad", "new_string": "npm i bad"}),
            json!({"file_path": NOWHERE, "old_string": "i bad", "new_string": "npm i bad"}),
        ),
        (
            "MultiEdit",
            json!({"path": "/x", "edits": [{"new_str": "fine"}, {"new_str": "i bad"}, {"new_str": "i bad"}]}),
            json!({"path": NOWHERE, "edits": [{"new_str": "fine"}, {"new_str": "i bad"}, {"new_str": "i bad"}]}),
        ),
        (
            "write_files",
            json!({"files": [{"path": "a", "text": "fine"}, {"path": "b", "text": "i bad"}]}),
            json!({"files": [{"path": "a", "text": "fine"}, {"path": NOWHERE, "text": "i bad"}]}),
        ),
        (
            "str_replace_based_edit_tool",
            json!({"command": "create", "path": "/x", "file_text": "i bad"}),
            json!({"command": "create", "path": NOWHERE, "file_text": "i bad"}),
        ),
        (
            "apply_patch",
            json!({"input": "*** Begin Patch\n*** Add File: a\n+fine\n*** Add File: é/b\n+i bad\n"}),
            json!({"input": format!("*** Begin Patch\n*** Add File: a\n+fine\n*** Add File: {NOWHERE}\n+i bad\n")}),
        ),
        (
            "replace_in_file",
            json!({"path": "/x", "diff": "<<<<<<< SEARCH\na\n=======\ni bad\n>>>>>>> REPLACE\n"}),
            json!({"path": NOWHERE, "diff": "<<<<<<< SEARCH\na\n=======\ni bad\n>>>>>>> REPLACE\n"}),
        ),
    ] {
        assert_eq!(judged(name, &given), Some(expected), "{given}");
    }
    for given in [
        json!({"file_path": "/x", "old_string": "i bad", "new_string": ""}),
        json!({"path": "/x", "pattern": "i bad"}),
        json!({"path": "/x", "diff": "<<<<<<< SEARCH\ni bad\n=======\n>>>>>>> REPLACE\n"}),
        json!({"content": "i bad"}),
    ] {
        assert_eq!(judged("Edit", &given), None, "{given}");
    }
    let patch = "*** Begin Patch\n*** Update File: p\n@@\n-x\n+npm i bad\n*** End Patch";
    let new = judge(
        "apply_patch",
        patch.as_bytes(),
        true,
        &mut Refuser::default(),
    )
    .unwrap();
    assert_eq!(
        String::from_utf8(new).unwrap(),
        patch.replace("File: p", &format!("File: {NOWHERE}"))
    );
}

#[test]
fn a_command_that_applies_a_patch_is_refused() {
    let patch = "*** Begin Patch\n*** Add File: it's/p\n+bad file\n*** End Patch";
    let script = r#"echo 'no "bad"' >&2; false"#;
    for (given, expected) in [
        (
            json!({"command": ["apply_patch", patch]}),
            json!({"command": ["sh", "-c", script]}),
        ),
        (
            json!({"command": format!("apply_patch <<'EOF'\n{patch}\nEOF")}),
            json!({"command": script}),
        ),
    ] {
        let arguments = given.to_string().replace("bad", "fine");
        assert_eq!(
            judged("shell", &serde_json::from_str(&arguments).unwrap()),
            None
        );
        assert_eq!(judged("shell", &given), Some(expected), "{given}");
    }
}

#[test]
fn files_are_looked_at_whole_or_as_what_is_added() {
    let mut refuser = Refuser::default();
    let write = json!({"file_path": "/x/p.json", "content": "a", "new_string": "b"}).to_string();
    assert_eq!(judge("Write", write.as_bytes(), false, &mut refuser), None);
    let patch = "*** Add File: q\n+c\n+++ b/r\n d\n+e\n";
    assert_eq!(
        judge("apply_patch", patch.as_bytes(), true, &mut refuser),
        None
    );
    let files: Vec<(&str, &str, bool)> = refuser
        .files
        .iter()
        .map(|(n, t, w)| (n.as_str(), t.as_str(), *w))
        .collect();
    let expected = [
        ("/x/p.json", "a", true),
        ("/x/p.json", "b", false),
        ("q", "c\n", true),
        ("b/r", "e\n", false),
    ];
    assert_eq!(files, expected);
    assert!(refuser.commands.is_empty());
}

#[test]
fn the_refusal_fails_and_says_why() {
    let script = Language::Shell.refusal("it's \"bad\" $(touch x) `y`");
    let run = std::process::Command::new("sh")
        .args(["-c", &script])
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(run.stderr, b"it's \"bad\" $(touch x) `y`\n");
}

#[test]
fn arguments_may_be_anything() {
    for arguments in [
        "",
        "{",
        "null",
        "[]",
        "\"npm i bad\"",
        "{\"command\": 5}",
        "{\"command\": [1, [\"x\"]]}",
    ] {
        judge("x", arguments.as_bytes(), false, &mut Refuser::default());
        judge("bash", arguments.as_bytes(), true, &mut Refuser::default());
    }
}
