//! Requests whose protected fields look random: an edit there would break them.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    carriers::{BODIES, Body},
    random::{ALNUM, HEX, Random},
};

/// A request whose protected fields (ids, signatures, encrypted reasoning, media) look random.
pub(super) fn request(random: &mut Random, at: usize) -> (Option<&'static Body>, String) {
    let (media, sealed) = (random.between(300, 2000), random.between(300, 1500));
    let data = STANDARD.encode(random.bytes(media));
    let blob = STANDARD.encode(random.bytes(sealed));
    let id = random.text(ALNUM, 24);
    let of = |name: &str| BODIES.iter().find(|body| body.name == name);
    match at % 3 {
        0 => (
            of("chat-1"),
            format!(
                "{{\"model\":\"gpt-5\",\"prompt_cache_key\":\"{}\",\"messages\":[{{\"role\":\"user\",\"content\":[{{\"type\":\
             \"image_url\",\"image_url\":{{\"url\":\"data:image/png;base64,{data}\"}}}}]}},{{\"role\":\"assistant\",\
             \"tool_calls\":[{{\"id\":\"call_{id}\",\"type\":\"function\",\"function\":{{\"name\":\"f\",\"arguments\":\
             \"{{}}\"}}}}]}}]}}",
                random.text(HEX, 32)
            ),
        ),
        1 => (
            of("responses-1"),
            format!(
                "{{\"model\":\"gpt-5\",\"previous_response_id\":\"resp_{id}\",\"input\":[{{\"type\":\"reasoning\",\"id\":\
             \"rs_{id}\",\"summary\":[],\"encrypted_content\":\"gAAAAAB{blob}\"}},{{\"type\":\"function_call\",\"id\":\
             \"fc_{id}\",\"call_id\":\"call_{id}\",\"name\":\"f\",\"arguments\":\"{{}}\"}}]}}"
            ),
        ),
        _ => (
            of("anthropic-1"),
            format!(
                "{{\"model\":\"claude-x\",\"metadata\":{{\"user_id\":\"user_{}_account__session_{}\"}},\"messages\":[{{\"role\":\
             \"assistant\",\"content\":[{{\"type\":\"thinking\",\"thinking\":\"Hm.\",\"signature\":\"{blob}\"}},{{\"type\":\
             \"redacted_thinking\",\"data\":\"{blob}\"}},{{\"type\":\"tool_use\",\"id\":\"toolu_{id}\",\"name\":\"f\",\
             \"input\":{{}}}}]}},{{\"role\":\"user\",\"content\":[{{\"type\":\"image\",\"source\":{{\"type\":\"base64\",\
             \"media_type\":\"image/png\",\"data\":\"{data}\"}}}}]}}]}}",
                random.text(HEX, 64),
                crate::forge::uuid(random)
            ),
        ),
    }
}
