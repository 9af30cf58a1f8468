//! Files, whose names say how they are read.

use super::super::*;

#[test]
fn files_are_read_by_their_names() {
    for (name, text, expected) in [
        (
            "yarn.lock",
            "# yarn lockfile v1\n\n\"@a/b@^1.0.0\", \"@a/b@^1.1\":\n  version \"1.2.3\"\n  dependencies:\n    c \"^1.0.0\"\n\nd@^2:\n  version \"2.0.0\"\n",
            vec!["pkg:npm/%40a/b@1.2.3", "pkg:npm/d@2.0.0"],
        ),
        (
            "yarn.lock",
            "\"@a/b@npm:^1.0.0\":\n  version: 1.2.3\n  resolution: \"@a/b@npm:1.2.3\"\n\n\"mine@workspace:.\":\n  version: 0.0.0-use.local\n",
            vec!["pkg:npm/%40a/b@1.2.3"],
        ),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: '9.0'\npackages:\n\n  '@a/b@1.2.3':\n    resolution: {integrity: x}\n\n  c@2.0.0(d@1.0.0):\n    resolution: {}\n\n  /e/3.0.0:\n    dev: true\n",
            vec!["pkg:npm/%40a/b@1.2.3", "pkg:npm/c@2.0.0", "pkg:npm/e@3.0.0"],
        ),
        (
            "Gemfile.lock",
            "PATH\n  remote: .\n  specs:\n    mine (0.1.0)\n\nGEM\n  remote: https://x.test/\n  specs:\n    a (1.2.3)\n      b (>= 1)\n    b (2.0)\n\nDEPENDENCIES\n  a\n",
            vec!["pkg:gem/a@1.2.3", "pkg:gem/b@2.0"],
        ),
        (
            "go.sum",
            "github.com/a/b v1.2.3 h1:x=\ngithub.com/a/b v1.2.3/go.mod h1:y=\n",
            vec!["pkg:golang/github.com/a/b@v1.2.3"],
        ),
        (
            "packages.lock.json",
            "{\n \"version\": 1,\n \"dependencies\": {\n  \"net8.0\": {\n   \"A.B\": {\n    \"type\": \"Direct\",\n    \"requested\": \"[1.2.3, )\",\n    \"resolved\": \"1.2.3\",\n    \"contentHash\": \"x\"\n   },\n   \"mine\": {\n    \"type\": \"Project\"\n   }\n",
            vec!["pkg:nuget/A.B@1.2.3"],
        ),
        (
            "Pipfile.lock",
            "{\n \"default\": {\n  \"a\": {\n   \"hashes\": [],\n   \"version\": \"==1.0\"\n  }\n }\n}",
            vec!["pkg:pypi/a@1.0"],
        ),
        (
            "setup.py",
            "from setuptools import setup\nsetup(name='mine', install_requires=[\n  'a>=1',\n  'b',\n])\n",
            vec!["pkg:pypi/setuptools", "pkg:pypi/a", "pkg:pypi/b"],
        ),
        (
            "setup.cfg",
            "[metadata]\nname = mine\n[options]\ninstall_requires =\n    a>=1\n    b\npython_requires = >=3.9\n",
            vec!["pkg:pypi/a", "pkg:pypi/b"],
        ),
        (
            "environment.yml",
            "dependencies:\n  - numpy\n  - pip:\n    - a==1.0\nname: x\n",
            vec!["pkg:pypi/a@1.0"],
        ),
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
            vec!["pkg:nuget/A.B@1.2.3"],
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
        for name in ["-", "a.py", "a.ts", "a.rs", "a.go", "Cargo.toml", "pyproject.toml", "package.json", "package-lock.json", "Cargo.lock", "Dockerfile", "a.yml", "a.diff", "requirements.txt", "a.sh", "Makefile", "justfile", "Procfile", "a.ipynb", "a.json", "deno.json", "tox.ini", "a.versions.toml", "build.sbt", "ivy.xml", "paket.dependencies", "dotnet-tools.json", "a.csproj", "composer.json", "a.gradle", "pom.xml", "a.java", "a.cs", "a.rb", "a.php", "a.vue", "yarn.lock", "pnpm-lock.yaml", "Gemfile.lock", "go.sum", "packages.lock.json", "setup.py", "setup.cfg", "environment.yml", "go.mod"] {
            for mention in file(name, text.as_bytes()) {
                proptest::prop_assert!(text.get(mention.range).is_some());
            }
        }
    }
}
