//! Files, code and messages in which a value has a name.

use super::{Source, Style, escaped, quoted, single, unquoted};

/// All of them.
pub(crate) const SOURCES: [Source; 19] = [
    Source {
        name: "dotenv",
        style: Style::Shouted,
        write: dotenv,
    },
    Source {
        name: "shell-export",
        style: Style::Shouted,
        write: shell,
    },
    Source {
        name: "yaml",
        style: Style::Plain,
        write: yaml,
    },
    Source {
        name: "toml",
        style: Style::Kebab,
        write: toml,
    },
    Source {
        name: "ini",
        style: Style::Plain,
        write: ini,
    },
    Source {
        name: "json-config",
        style: Style::Plain,
        write: json,
    },
    Source {
        name: "python",
        style: Style::Plain,
        write: python,
    },
    Source {
        name: "javascript",
        style: Style::Camel,
        write: javascript,
    },
    Source {
        name: "typescript",
        style: Style::Camel,
        write: typescript,
    },
    Source {
        name: "go",
        style: Style::Camel,
        write: go,
    },
    Source {
        name: "java",
        style: Style::Camel,
        write: java,
    },
    Source {
        name: "rust",
        style: Style::Shouted,
        write: rust,
    },
    Source {
        name: "ruby",
        style: Style::Plain,
        write: ruby,
    },
    Source {
        name: "terraform",
        style: Style::Plain,
        write: terraform,
    },
    Source {
        name: "xml",
        style: Style::Camel,
        write: xml,
    },
    Source {
        name: "http-header",
        style: Style::Header,
        write: header,
    },
    Source {
        name: "query",
        style: Style::Plain,
        write: query,
    },
    Source {
        name: "log",
        style: Style::Plain,
        write: log,
    },
    Source {
        name: "stack-trace",
        style: Style::Plain,
        write: stack_trace,
    },
];

fn dotenv(name: &str, value: &str, way: usize) -> String {
    let value = match way % 4 {
        0 | 1 => unquoted(value),
        2 => single(value),
        _ if value.contains('"') => quoted(value),
        _ => format!("\"{value}\""),
    };
    format!("# service\nPORT=8080\n{name}={value}\nLOG_LEVEL=info\n")
}

fn shell(name: &str, value: &str, way: usize) -> String {
    let value = match way % 3 {
        0 => quoted(value),
        1 => single(value),
        _ => unquoted(value),
    };
    format!("#!/bin/sh\nset -eu\nexport {name}={value}\nexec ./serve --port 8080\n")
}

fn yaml(name: &str, value: &str, way: usize) -> String {
    if value.contains('\n') {
        let block = value.replace('\n', "\n    ");
        return format!("service:\n  port: 8080\n  {name}: |\n    {block}\n  debug: false\n");
    }
    let value = if way.is_multiple_of(2) {
        unquoted(value)
    } else {
        quoted(value)
    };
    format!("service:\n  port: 8080\n  {name}: {value}\n  debug: false\n")
}

fn toml(name: &str, value: &str, way: usize) -> String {
    let value = if way.is_multiple_of(2) {
        quoted(value)
    } else {
        single(value)
    };
    format!("[service]\nport = 8080\n{name} = {value}\ndebug = false\n")
}

fn ini(name: &str, value: &str, way: usize) -> String {
    let tie = if way.is_multiple_of(2) { " = " } else { "=" };
    format!(
        "[service]\nport{tie}8080\n{name}{tie}{}\ndebug{tie}no\n",
        unquoted(value)
    )
}

fn json(name: &str, value: &str, way: usize) -> String {
    let value = quoted(value);
    match way % 2 {
        0 => format!("{{\n  \"port\": 8080,\n  \"{name}\": {value},\n  \"debug\": false\n}}\n"),
        _ => format!("{{\"port\":8080,\"{name}\":{value},\"debug\":false}}"),
    }
}

fn python(name: &str, value: &str, way: usize) -> String {
    let line = match way % 4 {
        0 => format!("{name} = {}", quoted(value)),
        1 => format!("client = connect(host, {name}={})", single(value)),
        2 => format!(
            "os.environ[\"{}\"] = {}",
            name.to_ascii_uppercase(),
            quoted(value)
        ),
        _ => format!("settings = {{'debug': False, '{name}': {}}}", single(value)),
    };
    format!("import os\n\n{line}\n\n\ndef main() -> None:\n    print(\"ready\")\n")
}

fn javascript(name: &str, value: &str, way: usize) -> String {
    let line = match way % 3 {
        0 => format!("const {name} = {};", single(value)),
        1 => format!(
            "const client = connect({{ host, {name}: {} }});",
            quoted(value)
        ),
        _ => format!(
            "process.env.{} = {};",
            name.to_ascii_uppercase(),
            single(value)
        ),
    };
    format!("import {{ connect }} from './net.js';\n\n{line}\n\nexport default main;\n")
}

fn typescript(name: &str, value: &str, way: usize) -> String {
    let line = match way % 3 {
        0 => format!("const {name}: string = {};", quoted(value)),
        1 => format!(
            "export const options: Options = {{ {name}: {}, retries: 3 }};",
            single(value)
        ),
        _ => format!("  private readonly {name} = {};", single(value)),
    };
    format!("import type {{ Options }} from './net';\n\n{line}\n")
}

fn go(name: &str, value: &str, way: usize) -> String {
    let value = quoted(value);
    let line = match way % 3 {
        0 => format!("\t{name} := {value}"),
        1 => format!("\tcfg := Config{{Port: 8080, {name}: {value}}}"),
        _ => format!("\tos.Setenv(\"{name}\", {value})"),
    };
    format!("package main\n\nfunc main() {{\n{line}\n\tserve()\n}}\n")
}

fn java(name: &str, value: &str, way: usize) -> String {
    let value = quoted(value);
    let line = match way % 3 {
        0 => format!("    private static final String {name} = {value};"),
        1 => format!("    String {name} = {value};"),
        _ => format!("    static {{ System.setProperty(\"{name}\", {value}); }}"),
    };
    format!("public class App {{\n{line}\n\n    public static void main(String[] args) {{}}\n}}\n")
}

fn rust(name: &str, value: &str, way: usize) -> String {
    let value = quoted(value);
    let lower = name.to_ascii_lowercase();
    let line = match way % 3 {
        0 => format!("const {name}: &str = {value};"),
        1 => format!("let {lower} = {value};"),
        _ => format!("    .env(\"{name}\", {value})"),
    };
    format!("use std::io;\n\n{line}\n\nfn main() -> io::Result<()> {{ Ok(()) }}\n")
}

fn ruby(name: &str, value: &str, way: usize) -> String {
    let line = match way % 4 {
        0 => format!("{name} = {}", single(value)),
        1 => format!("ENV[\"{}\"] = {}", name.to_ascii_uppercase(), quoted(value)),
        2 => format!("  config.{name} = {}", single(value)),
        _ => format!("client = Client.new(port: 8080, {name}: {})", quoted(value)),
    };
    format!("require \"client\"\n\n{line}\n\nputs \"ready\"\n")
}

fn terraform(name: &str, value: &str, way: usize) -> String {
    let value = quoted(value);
    match way % 2 {
        0 => {
            format!("resource \"acme_app\" \"web\" {{\n  port     = 8080\n  {name} = {value}\n}}\n")
        }
        _ => format!("locals {{\n  region = \"eu-1\"\n  {name} = {value}\n}}\n"),
    }
}

fn xml(name: &str, value: &str, way: usize) -> String {
    let value = value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    match way % 2 {
        0 => format!("<config>\n  <port>8080</port>\n  <{name}>{value}</{name}>\n</config>\n"),
        _ => {
            let value = value.replace('"', "&quot;");
            format!("<config>\n  <add key=\"{name}\" value=\"{value}\" />\n</config>\n")
        }
    }
}

/// A header is one line, so what has several goes as one.
fn header(name: &str, value: &str, _way: usize) -> String {
    let value = value.replace('\n', "\\n");
    format!(
        "POST /v1/items HTTP/1.1\r\nHost: api.acme.org\r\nX-{name}: {value}\r\nAccept: */*\r\n\r\n"
    )
}

/// In a URL: what may not stand there is percent-encoded.
fn query(name: &str, value: &str, _way: usize) -> String {
    let mut encoded = String::new();
    for c in value.chars() {
        if c.is_ascii_alphanumeric() || "-_.~".contains(c) || crate::marked::is_mark(c) {
            encoded.push(c);
        } else {
            c.encode_utf8(&mut [0; 4])
                .bytes()
                .for_each(|byte| encoded.push_str(&format!("%{byte:02X}")));
        }
    }
    format!("GET https://api.acme.org/v1/items?page=2&{name}={encoded}&limit=50 200 12ms\n")
}

fn log(name: &str, value: &str, way: usize) -> String {
    let line = match way % 3 {
        0 => format!(
            "INFO  [worker-3] connecting host=db.internal {name}={} attempt=1",
            unquoted(value)
        ),
        1 => format!(
            "DEBUG config loaded: {{\"port\":8080,\"{name}\":{}}}",
            quoted(value)
        ),
        _ => format!(
            "level=debug msg=\"request\" {name}={} status=200",
            quoted(value)
        ),
    };
    format!(
        "2026-03-01T10:00:00.123Z INFO  starting\n2026-03-01T10:00:01.456Z {line}\n2026-03-01T10:00:02.001Z INFO  ready\n"
    )
}

fn stack_trace(name: &str, value: &str, way: usize) -> String {
    match way % 2 {
        0 => format!(
            "Traceback (most recent call last):\n  File \"/app/main.py\", line 42, in connect\n    \
             raise AuthError(reply)\nAuthError: rejected {name}={}\n",
            quoted(value)
        ),
        _ => format!(
            "Error: request failed with status 401\n    at connect (/app/net.js:12:11) {{\n  \
             config: {{ {name}: '{}', timeout: 3000 }}\n}}\n",
            escaped(value).replace('\'', "\\'")
        ),
    }
}
