//! Which dialect a request body is in when nobody knows the path that it was sent to.
//!
//! Knows: the members that tell one dialect's bodies from another's. Must not know: paths.

use super::{
    Dialect,
    anthropic::Anthropic,
    json::{Reader, Token},
    ollama::Ollama,
    opaque::{AnyJson, Opaque},
    openai_chat::OpenAiChat,
    openai_responses::OpenAiResponses,
};

/// The dialect of a request body that was sent to a provider (`openai`, `anthropic`, `ollama` or `opaque`, as
/// the configuration names them); `None` if there is no such provider.
///
/// What is no object at all is given to a dialect that says so.
pub fn dialect_of(provider: &str, body: &[u8]) -> Option<&'static dyn Dialect> {
    let main: &'static dyn Dialect = match provider {
        "openai" => &OpenAiChat,
        "anthropic" => &Anthropic,
        "ollama" => &Ollama,
        "opaque" => return Some(&Opaque),
        _ => return None,
    };
    let members = Members::of(body);
    Some(match members {
        Members { object: false, .. } | Members { messages: true, .. } => main,
        _ if provider == "ollama" => main,
        Members { input: true, .. } if provider == "openai" => &OpenAiResponses,
        _ => &AnyJson,
    })
}

/// What a body's root has.
#[derive(Debug, Default)]
struct Members {
    object: bool,
    messages: bool,
    input: bool,
}

impl Members {
    /// Reads as far as the body is JSON; the dialect says what is wrong with the rest.
    fn of(body: &[u8]) -> Self {
        let mut members = Self::default();
        if super::json::utf8(body).is_err() {
            return members;
        }
        let mut reader = Reader::new(body);
        let mut depth = 0_usize;
        while let Ok(Some(token)) = reader.next() {
            match token {
                Token::ObjectStart => {
                    members.object |= depth == 0;
                    depth += 1;
                }
                Token::ArrayStart => depth += 1,
                Token::ObjectEnd | Token::ArrayEnd => depth = depth.saturating_sub(1),
                Token::Key(name) if depth == 1 => match reader.text(&name) {
                    b"messages" => members.messages = true,
                    b"input" => members.input = true,
                    _ => {}
                },
                _ => {}
            }
        }
        members
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn the_root_members_tell_the_dialect() {
        for (provider, body, dialect) in [
            ("openai", r#"{"messages":[{"input":1}]}"#, "openai-chat"),
            ("openai", r#"{"input":"x","messages":[]}"#, "openai-chat"),
            (
                "openai",
                r#"{"input":[{"messages":1}]}"#,
                "openai-responses",
            ),
            ("openai", r#"{"prompt":"x"}"#, "json"),
            ("openai", r#"{"metadata":{"messages":1}}"#, "json"),
            ("openai", "[]", "openai-chat"),
            ("openai", "hello", "openai-chat"),
            ("anthropic", r#"{"messages":[]}"#, "anthropic"),
            ("anthropic", r#"{"requests":[{"messages":[]}]}"#, "json"),
            ("anthropic", "\u{feff}{}", "anthropic"),
            ("ollama", r#"{"prompt":"x"}"#, "ollama"),
            ("opaque", r#"{"messages":[]}"#, "opaque"),
        ] {
            let found = dialect_of(provider, body.as_bytes()).unwrap();
            assert_eq!(found.name(), dialect, "{body}");
        }
        assert!(dialect_of("nobody", b"{}").is_none());
    }

    #[test]
    fn a_broken_body_goes_to_a_dialect_that_refuses_it() {
        for body in [
            "",
            "[]",
            "{\"messages\":[",
            "{\"x\":1} trailing",
            "\"text\"",
        ] {
            for provider in ["openai", "anthropic"] {
                let dialect = dialect_of(provider, body.as_bytes()).unwrap();
                assert!(dialect.request(body.as_bytes()).is_err(), "{body}");
            }
        }
    }
}
