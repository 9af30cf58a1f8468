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
            "pkg:cargo/serde-json",
        ),
        (
            "cargo install --locked rip_grep --version 1.0.0",
            "pkg:cargo/rip-grep@1.0.0",
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
            "pkg:nuget/x.y@1.2",
        ),
        ("dotnet add package X.Y", "pkg:nuget/x.y"),
        ("Install-Package X.Y -Version 1.2", "pkg:nuget/x.y@1.2"),
        ("composer require a/b:1.2.3", "pkg:composer/a/b@1.2.3"),
        (
            "mvn dependency:get -Dartifact=org.a:b:1.2",
            "pkg:maven/org.a/b@1.2",
        ),
        ("pip install \\\n  x-y \\\n  --no-deps", "pkg:pypi/x-y"),
        ("echo hi && (pip install x-y) > log 2>&1", "pkg:pypi/x-y"),
        ("v=$(npm install x)", "pkg:npm/x"),
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
    let names = ["serde-json", "foo", "bar"];
    assert_eq!(
        named(rust),
        names.map(|name| format!("pkg:cargo/{name} import"))
    );
}

#[test]
fn files_are_read_by_their_names() {
    for (name, text, expected) in [
        (
            "Cargo.toml",
            "[package]\nname = \"me\"\n[dependencies]\na = \"1\"\nb = { version = \"=1.2.3\", features = [] }\nc = { path = \"../c\" }\n[dev-dependencies.d]\nversion = \"1\"\n",
            vec!["pkg:cargo/a", "pkg:cargo/b@1.2.3", "pkg:cargo/d"],
        ),
        (
            "pyproject.toml",
            "[project]\nname = \"me\"\ndependencies = [\n  \"a==1.0\",\n  \"b[x]>=2\",\n]\n[tool.poetry.dependencies]\npython = \"^3.9\"\nc = \"^1.0\"\n",
            vec!["pkg:pypi/a@1.0", "pkg:pypi/b", "pkg:pypi/c"],
        ),
        (
            "go.mod",
            "module x.y/z\n\nrequire (\n\tgithub.com/a/b v1.2.3\n)\n",
            vec!["pkg:golang/github.com/a/b@v1.2.3"],
        ),
        (
            "pom.xml",
            "<dependency><groupId>org.a</groupId><artifactId>b</artifactId><version>1.2</version></dependency>",
            vec!["pkg:maven/org.a/b@1.2"],
        ),
        (
            "Gemfile",
            "source 'https://x.test'\ngem 'a', '~> 1.0'\ngem \"b\", '1.2'\n",
            vec!["pkg:gem/a", "pkg:gem/b@1.2"],
        ),
        (
            "x.csproj",
            "<PackageReference Include=\"A.B\" Version=\"1.2.3\" />",
            vec!["pkg:nuget/a.b@1.2.3"],
        ),
        (
            "composer.json",
            "{\"require\": {\"php\": \">=8\", \"a/b\": \"1.2.3\"}}",
            vec!["pkg:composer/a/b@1.2.3"],
        ),
        (
            "package-lock.json",
            "{\n \"packages\": {\n  \"\": {\n   \"version\": \"9.9.9\"\n  },\n  \"node_modules/@a/b\": {\n   \"version\": \"1.2.3\",\n",
            vec!["pkg:npm/%40a/b@1.2.3"],
        ),
        (
            "Cargo.lock",
            "[[package]]\nname = \"me\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"a\"\nversion = \"1.2.3\"\nsource = \"registry+https://x.test\"\n",
            vec!["pkg:cargo/a@1.2.3"],
        ),
        (
            "Dockerfile",
            "FROM x\nRUN apt-get update && \\\n    pip install a==1.0\nRUN [\"npm\", \"install\", \"b\"]\n",
            vec!["pkg:pypi/a@1.0", "pkg:npm/b"],
        ),
        (
            ".github/workflows/ci.yml",
            "steps:\n  - run: pip install a\n  - run: |\n      npm ci\n      npm install b@1.0.0\n",
            vec!["pkg:pypi/a", "pkg:npm/b@1.0.0"],
        ),
        (
            "x.diff",
            "--- a/package.json\n+++ b/package.json\n@@ -1 +1 @@\n-    \"old\": \"1.0.0\",\n+    \"new\": \"2.0.0\",\n",
            vec!["pkg:npm/new@2.0.0"],
        ),
        (
            "build.gradle",
            "dependencies {\n  implementation 'org.a:b:1.2'\n}",
            vec!["pkg:maven/org.a/b@1.2"],
        ),
    ] {
        let found = file(name, text.as_bytes());
        let found: Vec<_> = found
            .iter()
            .map(|mention| mention.purl.to_string())
            .collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn bytes_that_are_no_text_shift_nothing() {
    let bytes = b"\xff\xfe\xc3 ``` \xf0\n```sh\npip install x-y\n```\n";
    let found = file("-", bytes);
    assert_eq!(&bytes[found[0].range.clone()], b"x-y");
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_strange(text in "([`~$'\"\\\\é🛡 \n#@=:/(){}\\[\\]<>!%+-]|pip install |npm i |import |```|python|json|a|1\\.0){0,60}") {
        for name in ["-", "a.py", "a.ts", "a.rs", "a.go", "Cargo.toml", "pyproject.toml", "package.json", "package-lock.json", "Cargo.lock", "Dockerfile", "a.yml", "a.diff", "requirements.txt", "a.sh", "pom.xml"] {
            for mention in file(name, text.as_bytes()) {
                proptest::prop_assert!(text.get(mention.range).is_some());
            }
        }
    }
}
