//! Errors in the providers' own shapes, so that their clients show them.
//!
//! Knows: the shapes. Must not know: why something was refused.

use serde_json::json;

/// The `type` that makes no client try again.
const KIND: &str = "invalid_request_error";

/// OpenAI's shape.
pub(super) fn openai(message: &str) -> Vec<u8> {
    let error = json!({
        "message": message, "type": KIND, "param": null, "code": "codegate_blocked",
    });
    json!({ "error": error }).to_string().into_bytes()
}

/// Anthropic's shape.
pub(super) fn anthropic(message: &str) -> Vec<u8> {
    let error = json!({ "type": KIND, "message": message });
    json!({ "type": "error", "error": error })
        .to_string()
        .into_bytes()
}

/// Ollama's shape.
pub(super) fn ollama(message: &str) -> Vec<u8> {
    json!({ "error": message }).to_string().into_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests panic")]
mod tests {
    use super::*;

    #[test]
    fn messages_stand_where_clients_look_for_them() {
        let read = |body: Vec<u8>| serde_json::from_slice::<serde_json::Value>(&body).unwrap();
        let message = "a \"secret\"\nin it";
        let openai = read(openai(message));
        assert_eq!(openai["error"]["message"], message);
        assert_eq!(openai["error"]["type"], KIND);
        assert_eq!(openai["error"]["param"], serde_json::Value::Null);
        assert_eq!(openai["error"]["code"], "codegate_blocked");
        let anthropic = read(anthropic(message));
        assert_eq!(anthropic["type"], "error");
        assert_eq!(anthropic["error"]["type"], KIND);
        assert_eq!(anthropic["error"]["message"], message);
    }
}
