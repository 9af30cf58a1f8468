mod files;
mod shapes;

use super::*;

/// What Markdown names, as `purl context`, and that each range holds the name's own letters.
fn named(text: &str) -> Vec<String> {
    shown(text, markdown(text))
}

fn shown(text: &str, mentions: Vec<Mention>) -> Vec<String> {
    let show = |mention: &Mention| {
        assert!(
            text.get(mention.range.clone())
                .is_some_and(|t| !t.is_empty()),
            "{mention:?}"
        );
        let context = serde_json::to_value(mention.context).unwrap();
        format!("{} {}", mention.purl, context.as_str().unwrap())
    };
    mentions.iter().map(show).collect()
}

#[test]
fn shell_in_all_its_forms() {
    for (command, expected) in [
        ("pip install requests", "pkg:pypi/requests"),
        (
            "sudo -E pip3.11 install -U 'Requests[socks]==2.0'",
            "pkg:pypi/requests@2.0",
        ),
        (
            "FOO=1 /usr/bin/python3 -m pip install -i https://x.test x-y",
            "pkg:pypi/x-y",
        ),
        ("bash -c \"cd /tmp && pip install x-y\"", "pkg:pypi/x-y"),
        ("true;uv pip install x-y>=1", "pkg:pypi/x-y"),
        ("uv add x-y", "pkg:pypi/x-y"),
        ("uvx x-y --flag z", "pkg:pypi/x-y"),
        ("poetry add --group dev x-y@^1.0", "pkg:pypi/x-y"),
        ("pipx install x-y", "pkg:pypi/x-y"),
        (
            "npm i -D @a/b@1.2.3 --registry http://x.test",
            "pkg:npm/%40a/b@1.2.3",
        ),
        ("npm install alias@npm:real@1.0.0", "pkg:npm/real@1.0.0"),
        ("pnpm add -w x", "pkg:npm/x"),
        ("yarn global add x@^2", "pkg:npm/x"),
        ("bun add x", "pkg:npm/x"),
        ("npx -y x@1.0.0 init y", "pkg:npm/x@1.0.0"),
        ("npm create vite@latest my-app", "pkg:npm/create-vite"),
        (
            "cargo add serde_json --features derive",
            "pkg:cargo/serde_json",
        ),
        (
            "cargo install --locked rip_grep --version 1.0.0",
            "pkg:cargo/rip_grep@1.0.0",
        ),
        (
            "go get -u github.com/a/b@v1.2.3",
            "pkg:golang/github.com/a/b@v1.2.3",
        ),
        (
            "go install github.com/a/b/cmd/c@latest",
            "pkg:golang/github.com/a/b/cmd/c",
        ),
        ("gem install x -v 1.2.3", "pkg:gem/x@1.2.3"),
        (
            "dotnet add src/App.csproj package X.Y --version 1.2",
            "pkg:nuget/X.Y@1.2",
        ),
        ("dotnet add package X.Y", "pkg:nuget/X.Y"),
        ("Install-Package X.Y -Version 1.2", "pkg:nuget/X.Y@1.2"),
        ("composer require a/b:1.2.3", "pkg:composer/a/b@1.2.3"),
        (
            "mvn dependency:get -Dartifact=org.a:b:1.2",
            "pkg:maven/org.a/b@1.2",
        ),
        ("pip install \\\n  x-y \\\n  --no-deps", "pkg:pypi/x-y"),
        ("echo hi && (pip install x-y) > log 2>&1", "pkg:pypi/x-y"),
        ("v=$(npm install x)", "pkg:npm/x"),
        ("npm install x > out.log 2> err", "pkg:npm/x"),
        (
            "docker run --rm -it python:3 pip install x-y",
            "pkg:pypi/x-y",
        ),
        ("docker exec c bash -lc 'npm i x'", "pkg:npm/x"),
        ("poetry run pip install x-y", "pkg:pypi/x-y"),
        ("conda run -n env python -m pip install x-y", "pkg:pypi/x-y"),
        ("timeout 60 pip install x-y", "pkg:pypi/x-y"),
        ("python3 -m uv pip install x-y", "pkg:pypi/x-y"),
        ("uvx --from x-y tool --flag", "pkg:pypi/x-y"),
        ("uv run --with x-y script.py", "pkg:pypi/x-y"),
        ("npx --package=x@1.0.0 cmd", "pkg:npm/x@1.0.0"),
        ("cargo +nightly install x", "pkg:cargo/x"),
        ("deno add npm:@a/b@1.0.0", "pkg:npm/%40a/b@1.0.0"),
        ("pip install `\n  x-y", "pkg:pypi/x-y"),
        ("venv\\Scripts\\pip.exe install x-y", "pkg:pypi/x-y"),
        (
            "if ! command -v x; then sudo -H pip3 install x-y; fi",
            "pkg:pypi/x-y",
        ),
    ] {
        let found = shown(command, super::command(command));
        assert_eq!(found, [format!("{expected} install")], "{command}");
    }
}

#[test]
fn what_is_no_package_is_none() {
    for command in [
        "npm install",
        "npm run build",
        "pip install -r requirements.txt",
        "pip install -e . ./x ../y /z git+https://x.test/y https://x.test/z.whl",
        "npm install ./x user/repo github:user/repo https://x.test/y.tgz",
        "cargo add --path ../x y",
        "cargo install --git https://x.test/y y",
        "go install ./...",
        "# pip install x",
        "echo pip install x",
        "cargo build && cargo test",
        "grep -r pip install",
        "pip install $PACKAGE",
        "dotnet build",
    ] {
        assert_eq!(
            shown(command, super::command(command)),
            [""; 0],
            "{command}"
        );
    }
}

#[test]
fn what_the_predecessor_missed_is_found() {
    // Row 19: what is not ASCII shifts nothing.
    let text = "Größe → 漢字 🛡️\n```python\n# naïve — 日本語 🛡️\nimport invokehttp\n```\n";
    let found = markdown(text);
    assert_eq!(found[0].purl.to_string(), "pkg:pypi/invokehttp");
    assert_eq!(&text[found[0].range.clone()], "invokehttp");
    // Row 20.
    for (text, expected) in [
        ("```\npip install x-y\n```", "pkg:pypi/x-y install"),
        (
            "requirements.txt:\n```\nx-y==1.0\nz>=2 # why\n```",
            "pkg:pypi/x-y@1.0 manifest",
        ),
        (
            "```json\n{\"dependencies\": {\"x\": \"1.0.0\"}}\n```",
            "pkg:npm/x@1.0.0 manifest",
        ),
        ("```js\nexport { a } from 'x/sub';\n```", "pkg:npm/x import"),
        (
            "```ts\nconst a = await import(\"@a/b/c\");\n```",
            "pkg:npm/%40a/b import",
        ),
        (
            "```go\nimport \"github.com/a/b/c\"\n```",
            "pkg:golang/github.com/a/b/c import",
        ),
    ] {
        assert_eq!(named(text)[0], expected, "{text}");
    }
}

#[test]
fn its_false_alarms_are_none() {
    for text in [
        "```ts\nimport * as vscode from 'vscode';\nimport fs from 'node:fs';\nimport x from './x';\nimport y from '@/y';\n```",
        "```python\nimport os, sys\nfrom . import x\nfrom .y import z\n\"\"\"\nimport evil\n\"\"\"\n# import evil\n```",
        "```rust\nuse std::fs;\nuse crate::x;\nuse self::y;\nmod z;\nuse z::Z;\n```",
        "```go\nimport (\n\t\"fmt\"\n\t\"net/http\"\n)\n```",
        "Use the `read_file` and `execute_command` tools, or `codegate`.",
        "Run `npm install` and then `npm test`; npm install will take a while, pip install the package.",
        "Use the `fs` Node module, the `json` Python module, and the `search_files` tool package.",
        "Version 1.2.3 of 550e8400-e29b-41d4-a716-446655440000.",
    ] {
        assert_eq!(named(text), [""; 0], "{text}");
    }
}

#[test]
fn sentences_inline_code_and_addresses() {
    let text = "Just run `pip install x-y` or npm install left-padd. See pkg:npm/a@1.0.0 and \
                https://cdn.jsdelivr.net/npm/@a/b@1.2.3/x.js";
    assert_eq!(
        named(text),
        [
            "pkg:pypi/x-y install",
            "pkg:npm/left-padd prose",
            "pkg:npm/a@1.0.0 prose",
            "pkg:npm/%40a/b@1.2.3 url",
        ]
    );
}

#[test]
fn a_package_that_is_spoken_of_is_one_where_its_kind_is_said() {
    let text = "The `left-padd` npm package, the `foo_bar` crate, the Python library `x-y`, and \
                the `thing` package.";
    assert_eq!(
        named(text),
        [
            "pkg:npm/left-padd prose",
            "pkg:cargo/foo_bar prose",
            "pkg:pypi/x-y prose"
        ]
    );
}

#[test]
fn imports_have_the_names_of_their_distributions() {
    let text = "```python\nimport cv2, yaml as y\nfrom PIL import Image\nimport google.cloud.storage\nm = importlib.import_module('sklearn.svm')\n__import__('foo')\n```";
    let names = [
        "opencv-python",
        "pyyaml",
        "pillow",
        "google-cloud-storage",
        "scikit-learn",
        "foo",
    ];
    assert_eq!(
        named(text),
        names.map(|name| format!("pkg:pypi/{name} import"))
    );
    let rust =
        "```rust\nuse serde_json::{json, Value};\nextern crate foo;\npub use ::bar as b;\n```";
    let names = ["serde_json", "foo", "bar"];
    assert_eq!(
        named(rust),
        names.map(|name| format!("pkg:cargo/{name} import"))
    );
}

#[test]
fn documents_in_a_script_are_the_files_they_become() {
    let text = "```bash\ncat > requirements.txt <<'EOF'\nx-y==1.0\nEOF\npip install -r requirements.txt z\n```";
    assert_eq!(
        named(text),
        ["pkg:pypi/x-y@1.0 manifest", "pkg:pypi/z install"]
    );
    let text = "python3 - <<EOF\nimport x_y\nEOF\nnpm i z";
    let found = shown(text, command(text));
    assert_eq!(found, ["pkg:pypi/x-y import", "pkg:npm/z install"]);
}

#[test]
fn imports_of_other_languages() {
    for (language, text, expected) in [
        (
            "java",
            "import java.util.List;\nimport com.google.gson.Gson;\nimport static org.junit.Assert.*;\nimport com.me.App;\n",
            vec![
                "pkg:maven/com.google.code.gson/gson",
                "pkg:maven/junit/junit",
            ],
        ),
        (
            "csharp",
            "using System.Text;\nusing Newtonsoft.Json.Linq;\nusing static System.Math;\nusing Dapper;\nusing Mine.Inner;\nusing J = NUnit.Framework.Assert;\nnamespace Mine;\n",
            vec![
                "pkg:nuget/Newtonsoft.Json",
                "pkg:nuget/Dapper",
                "pkg:nuget/NUnit",
            ],
        ),
        (
            "ruby",
            "require 'json'\nrequire 'net/http'\nrequire 'nokogiri'\nrequire 'active_support/core_ext'\nrequire_relative 'mine'\nrequire 'sinatra/base'\n",
            vec![
                "pkg:gem/nokogiri",
                "pkg:gem/activesupport",
                "pkg:gem/sinatra",
            ],
        ),
        (
            "php",
            "<?php\nnamespace App;\nuse GuzzleHttp\\Client;\nuse Symfony\\Component\\HttpFoundation\\{Request, Response};\nuse App\\Models\\User;\n",
            vec![
                "pkg:composer/guzzlehttp/guzzle",
                "pkg:composer/symfony/http-foundation",
            ],
        ),
        (
            "python",
            "from google.cloud import storage\nimport subprocess\nsubprocess.run([sys.executable, \"-m\", \"pip\", \"install\", \"x-y\"])\nos.system('npm i z')\n",
            vec!["pkg:pypi/google-cloud-storage", "pkg:pypi/x-y", "pkg:npm/z"],
        ),
        (
            "js",
            "execSync('npm install z');\nimport a from 'components/a';\nimport 'x/style.css';\n",
            vec!["pkg:npm/z", "pkg:npm/x"],
        ),
        (
            "vue",
            "<template><p/></template>\n<script setup>\nimport x from 'x'\n</script>\n",
            vec!["pkg:npm/x"],
        ),
        (
            "rust",
            "use tokio::sync;\nuse sync::mpsc;\nuse {a::b, c};\nuse b::d;\n",
            vec!["pkg:cargo/tokio", "pkg:cargo/a", "pkg:cargo/c"],
        ),
    ] {
        let text = format!("Größe 🛡️\n```{language}\n// 漢字 é\n{text}```");
        let text = text
            .replace("```python\n// ", "```python\n# ")
            .replace("```ruby\n// ", "```ruby\n# ");
        let found: Vec<_> = markdown(&text)
            .into_iter()
            .map(|m| m.purl.to_string())
            .collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn the_users_own_names_are_none() {
    for (text, expected) in [
        (
            "`package.json`:\n```json\n{\"name\": \"@me/app\", \"dependencies\": {\"@me/lib\": \"workspace:*\", \"x\": \"1.0.0\"}}\n```\n```ts\nimport a from '@me/lib/a';\nimport b from '@me/app';\nimport c from 'x';\n```",
            vec!["pkg:npm/x@1.0.0 manifest", "pkg:npm/x import"],
        ),
        (
            "```toml\n[workspace]\nmembers = [\n  \"crates/my-core\",\n]\n[package]\nname = \"my-app\"\n[dependencies]\nmy-lib = { path = \"../lib\" }\na = \"1\"\n```\n```rust\nuse my_core::X;\nuse my_app::y;\nuse my_lib;\nuse a;\n```",
            vec!["pkg:cargo/a manifest", "pkg:cargo/a import"],
        ),
        (
            "go.mod:\n```\nmodule example.com/me/app\n\nrequire github.com/a/b v1.0.0\n```\n```go\nimport (\n\t\"example.com/me/app/internal\"\n\t\"github.com/a/b\"\n)\n```",
            vec![
                "pkg:golang/github.com/a/b@v1.0.0 manifest",
                "pkg:golang/github.com/a/b import",
            ],
        ),
        (
            "Save it as `parsing.py`:\n```python\nimport a\n```\nand in `mine/main_x.py`:\n```python\nfrom parsing import b\nfrom mine.c import d\nfrom utils import e\nimport main_x\n```",
            vec!["pkg:pypi/a import"],
        ),
        (
            "```toml\n[project]\nname = \"my-tool\"\ndependencies = [\"a\"]\n```\n```python\nimport my_tool\n```",
            vec!["pkg:pypi/a manifest"],
        ),
        (
            "```json\n{\"compilerOptions\": {\"paths\": {\"@parts/*\": [\"./parts/*\"]}}}\n```\n```ts\nimport a from '@parts/a';\n```",
            vec![],
        ),
    ] {
        assert_eq!(named(text), expected, "{text}");
    }
}

#[test]
fn what_is_known_of_one_text_counts_in_the_next() {
    let mut own = Own::default();
    file_with(
        "package.json",
        br#"{"name": "mine", "version": "1.0.0"}"#,
        &mut own,
    );
    let text = "```js\nimport a from 'mine';\nimport b from 'x';\n```";
    assert_eq!(
        shown(text, markdown_with(text, &mut own)),
        ["pkg:npm/x import"]
    );
    let text = "`npm install mine`";
    assert_eq!(
        shown(text, markdown_with(text, &mut own)),
        ["pkg:npm/mine install"]
    );
}

#[test]
fn a_comment_is_no_prompt_unless_there_are_prompts() {
    for (body, expected) in [
        ("# 安装\npip install x-y", vec!["pkg:pypi/x-y install"]),
        (
            "$ pip install x-y\n# pip install a-b",
            vec!["pkg:pypi/x-y install", "pkg:pypi/a-b install"],
        ),
        (
            "# pip install x-y\n\n# npm i z",
            vec!["pkg:pypi/x-y install", "pkg:npm/z install"],
        ),
        ("# pip install x-y\nls", vec![]),
    ] {
        assert_eq!(named(&format!("```bash\n{body}\n```")), expected, "{body}");
    }
}
