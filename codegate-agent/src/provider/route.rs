//! Which dialect an exchange is in, by its provider, method and path.
//!
//! Knows: the paths of the services. Must not know: hosts (they are the configuration's).
//!
//! Paths are told by their ends: gateways put what they like before them.

use super::{
    Dialect, Route, anthropic::Anthropic, ollama::Ollama, opaque::AnyJson, opaque::Opaque,
    openai_chat::OpenAiChat, openai_responses::OpenAiResponses,
};

/// How an exchange with a provider (`openai`, `anthropic`, `ollama` or `opaque`, as the configuration names
/// them) is to be read. The path may have a query.
pub fn route(provider: &str, method: &str, path: &str) -> Route {
    let sends = matches!(method, "POST" | "PUT" | "PATCH");
    let known = match provider {
        "openai" | "anthropic" | "ollama" => known(provider, bare(path)),
        // A host that was put here on purpose: whatever is sent to it may be a prompt.
        _ => Some(&Opaque as &dyn Dialect),
    };
    Route {
        dialect: known.unwrap_or(&Opaque),
        inference: sends && known.is_some(),
    }
}

/// The dialect of text that no other dialect speaks, such as lines of an answer.
pub fn plain() -> &'static dyn Dialect {
    &Opaque
}

/// A path without its query and trailing slashes.
fn bare(path: &str) -> &str {
    let end = path.find(['?', '#']).unwrap_or(path.len());
    path.get(..end).unwrap_or_default().trim_end_matches('/')
}

/// The dialect of a path that prompts go to.
fn known(provider: &str, path: &str) -> Option<&'static dyn Dialect> {
    /// The ends of paths, the more telling ones first.
    const ENDS: &[(&str, &dyn Dialect)] = &[
        // The older completions differ in names that no table needs to know.
        ("/completions", &OpenAiChat),
        ("/responses", &OpenAiResponses),
        ("/responses/compact", &OpenAiResponses),
        ("/responses/input_tokens", &OpenAiResponses),
        ("/v1/messages", &Anthropic),
        ("/messages/count_tokens", &Anthropic),
        ("/messages/batches", &AnyJson),
        ("/complete", &AnyJson),
        ("/embeddings", &AnyJson),
        ("/embed", &AnyJson),
        ("/moderations", &AnyJson),
        ("/rerank", &AnyJson),
        ("/fim", &AnyJson),
        ("/images/generations", &AnyJson),
        ("/audio/speech", &AnyJson),
        ("/conversations", &AnyJson),
        ("/threads", &AnyJson),
        ("/threads/runs", &AnyJson),
        ("/assistants", &AnyJson),
        // Forms with files in them.
        ("/images/edits", &Opaque),
        ("/audio/transcriptions", &Opaque),
        ("/audio/translations", &Opaque),
        ("/files", &Opaque),
        ("/uploads", &Opaque),
    ];
    if provider == "ollama" && (path.ends_with("/api/chat") || path.ends_with("/api/generate")) {
        return Some(&Ollama);
    }
    let end = ENDS.iter().find(|(end, _)| path.ends_with(end));
    match end {
        Some(&(_, dialect)) => Some(dialect),
        None if provider == "anthropic" && path.ends_with("/messages") => Some(&Anthropic),
        None if path.contains("/threads/") || path.contains("/conversations/") => Some(&AnyJson),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_by_their_ends() {
        for (provider, path, dialect) in [
            ("openai", "/v1/chat/completions", "openai-chat"),
            ("openai", "/openai/v1/chat/completions", "openai-chat"),
            (
                "openai",
                "/chat/completions?api-version=2024-10-21",
                "openai-chat",
            ),
            (
                "openai",
                "/openai/deployments/x/chat/completions?a=/v1/messages",
                "openai-chat",
            ),
            ("openai", "/v1/chat/completions/", "openai-chat"),
            ("openai", "/v1/responses", "openai-responses"),
            (
                "openai",
                "/api/v1/responses?stream=true",
                "openai-responses",
            ),
            ("openai", "/backend-api/codex/responses", "openai-responses"),
            (
                "openai",
                "/backend-api/codex/responses/compact",
                "openai-responses",
            ),
            ("openai", "/v1/messages", "anthropic"),
            ("openai", "/v1/completions", "openai-chat"),
            (
                "openai",
                "/v1/engines/copilot-codex/completions",
                "openai-chat",
            ),
            ("openai", "/v1/embeddings", "json"),
            ("openai", "/v1/threads/thread_1/messages", "json"),
            ("openai", "/v1/audio/transcriptions", "opaque"),
            ("anthropic", "/v1/messages", "anthropic"),
            ("anthropic", "/v1/messages?beta=true", "anthropic"),
            ("anthropic", "/messages", "anthropic"),
            (
                "anthropic",
                "/v1/messages/count_tokens?beta=true",
                "anthropic",
            ),
            ("anthropic", "/v1/messages/batches", "json"),
            ("anthropic", "/v1/chat/completions", "openai-chat"),
            ("opaque", "/anything", "opaque"),
            ("a provider of tomorrow", "/v1/chat/completions", "opaque"),
        ] {
            for method in ["POST", "PUT", "PATCH"] {
                let route = route(provider, method, path);
                assert_eq!(
                    (route.dialect.name(), route.inference),
                    (dialect, true),
                    "{path}"
                );
            }
            let reads = route(provider, "GET", path);
            assert_eq!(
                (reads.dialect.name(), reads.inference),
                (dialect, false),
                "{path}"
            );
        }
    }

    #[test]
    fn other_paths_carry_no_prompts() {
        for (provider, path) in [
            ("openai", "/v1/models"),
            ("openai", "/v1/responsesx"),
            ("openai", "/v1/responses/resp_1/cancel"),
            ("openai", "/"),
            ("openai", ""),
            ("openai", "/x?y=/v1/responses"),
            ("anthropic", "/api/event_logging/v2/batch"),
        ] {
            let route = route(provider, "POST", path);
            assert_eq!(
                (route.dialect.name(), route.inference),
                ("opaque", false),
                "{path}"
            );
        }
    }
}
