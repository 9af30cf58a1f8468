//! Requests that carry a text, read as the guard reads them.

use super::{all_unicode, escaped};

/// A kind of request.
pub(crate) struct Body {
    pub(crate) name: &'static str,
    /// As the configuration names it.
    pub(crate) provider: &'static str,
    pub(crate) path: &'static str,
    /// The request that carries a text.
    pub(crate) write: fn(&str) -> String,
}

const CHAT: (&str, &str) = ("openai", "/v1/chat/completions");
const RESPONSES: (&str, &str) = ("openai", "/v1/responses");
const MESSAGES: (&str, &str) = ("anthropic", "/v1/messages");

const fn body(
    name: &'static str,
    to: (&'static str, &'static str),
    write: fn(&str) -> String,
) -> Body {
    Body {
        name,
        provider: to.0,
        path: to.1,
        write,
    }
}

/// All of them; the number counts layers of JSON strings.
pub(crate) const BODIES: [Body; 11] = [
    body("chat-1", CHAT, |text| chat(&user(&escaped(text)))),
    body("chat-2", CHAT, |text| {
        chat(&tool_call(&escaped(&argument(text))))
    }),
    body("chat-3", CHAT, |text| {
        chat(&tool_call(&escaped(&argument(&argument(text)))))
    }),
    body("responses-1", RESPONSES, |text| {
        responses(&output(&escaped(text)))
    }),
    body("responses-2", RESPONSES, |text| {
        responses(&call(&escaped(&argument(text))))
    }),
    body("responses-3", RESPONSES, |text| {
        responses(&output(&escaped(&argument(&argument(text)))))
    }),
    body("anthropic-1", MESSAGES, |text| {
        messages(&result(&escaped(text)))
    }),
    body("anthropic-2", MESSAGES, |text| {
        messages(&result(&escaped(&argument(text))))
    }),
    body("anthropic-3", MESSAGES, |text| {
        messages(&tool_use(&argument(&argument(text))))
    }),
    body("unicode-all", CHAT, |text| chat(&user(&all_unicode(text)))),
    body("unicode-quotes", MESSAGES, |text| {
        messages(&result(&unicode_signs(text)))
    }),
];

/// A text as JSON of its own.
fn argument(text: &str) -> String {
    format!(
        "{{\"path\":\"conf/app\",\"content\":\"{}\",\"mode\":420}}",
        escaped(text)
    )
}

/// The signs that some serialisers don't write as they are (Go's, PHP's, Python's for HTML).
fn unicode_signs(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '\'' | '+' | '=' | '"' => {
                out.push_str(&format!("\\u{:04X}", u32::from(c)))
            }
            '/' => out.push_str("\\/"),
            c if c.is_ascii() => out.push_str(&escaped(&c.to_string())),
            c => out.push(c),
        }
    }
    out
}

fn chat(message: &str) -> String {
    format!(
        "{{\"model\":\"gpt-5\",\"stream\":true,\"messages\":[{{\"role\":\"system\",\"content\":\"You \
         help.\"}},{message}],\"temperature\":0}}"
    )
}

fn user(encoded: &str) -> String {
    format!("{{\"role\":\"user\",\"content\":\"{encoded}\"}}")
}

fn tool_call(encoded: &str) -> String {
    format!(
        "{{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{{\"id\":\"call_1\",\"type\":\
         \"function\",\"function\":{{\"name\":\"write\",\"arguments\":\"{encoded}\"}}}}]}}"
    )
}

fn responses(item: &str) -> String {
    format!("{{\"model\":\"gpt-5\",\"input\":[{item}],\"store\":false,\"stream\":true}}")
}

fn output(encoded: &str) -> String {
    format!("{{\"type\":\"function_call_output\",\"call_id\":\"call_1\",\"output\":\"{encoded}\"}}")
}

fn call(encoded: &str) -> String {
    format!(
        "{{\"type\":\"function_call\",\"call_id\":\"call_1\",\"name\":\"write\",\"arguments\":\
         \"{encoded}\"}}"
    )
}

fn messages(block: &str) -> String {
    format!(
        "{{\"model\":\"claude-x\",\"max_tokens\":1024,\"messages\":[{{\"role\":\"user\",\"content\":\
         [{block}]}}]}}"
    )
}

fn result(encoded: &str) -> String {
    format!(
        "{{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_1\",\"content\":[{{\"type\":\"text\",\
         \"text\":\"{encoded}\"}}]}}"
    )
}

fn tool_use(json: &str) -> String {
    format!(
        "{{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"write\",\"input\":{{\"request\":\"{}\"}}}}",
        escaped(json)
    )
}
