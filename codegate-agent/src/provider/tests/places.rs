//! A canary at each place of each dialect's requests: is it text, and does an edit reach it alone?

use serde_json::{Value, json};

use super::{
    super::Dialect,
    vault::{anthropic, chat, opaque, responses},
};
use crate::span::splice;

const CANARY: &str = "canary-\"7\"\\\n\u{2028}é😀";

/// The paths of all strings of a document.
fn strings(value: &Value, path: String, out: &mut Vec<String>) {
    match value {
        Value::String(_) => out.push(path),
        Value::Array(all) => {
            for (i, value) in all.iter().enumerate() {
                strings(value, format!("{path}/{i}"), out);
            }
        }
        Value::Object(all) => {
            for (name, value) in all {
                strings(value, format!("{path}/{name}"), out);
            }
        }
        _ => {}
    }
}

/// The body with its one canary replaced, as the guard would do it; `None` if it does not see it.
fn sealed(dialect: &dyn Dialect, body: &[u8]) -> Option<Vec<u8>> {
    let text = dialect.request(body).unwrap().text;
    let at = memchr::memmem::find(text.bytes(), CANARY.as_bytes())?;
    let edit = text.edit(body, at..at + CANARY.len(), b"CG_X")?;
    Some(splice(body, &[edit]))
}

/// Puts a canary at each string of a request: all are text, but for those listed.
fn canaries(dialect: &dyn Dialect, request: &Value, untouched: &[&str]) {
    let mut paths = Vec::new();
    strings(request, String::new(), &mut paths);
    for listed in untouched {
        assert!(paths.iter().any(|p| p == listed), "no such place: {listed}");
    }
    for path in &paths {
        let mut with = request.clone();
        *with.pointer_mut(path).unwrap() = Value::from(CANARY);
        for body in [
            serde_json::to_vec(&with).unwrap(),
            serde_json::to_vec_pretty(&with).unwrap(),
        ] {
            let sealed = sealed(dialect, &body);
            if untouched.contains(&path.as_str()) {
                assert_eq!(sealed, None, "{path} is not to be touched");
                continue;
            }
            let sealed = sealed.unwrap_or_else(|| panic!("{path} is not seen"));
            let mut expected = with.clone();
            *expected.pointer_mut(path).unwrap() = Value::from("CG_X");
            assert_eq!(
                serde_json::from_slice::<Value>(&sealed).unwrap(),
                expected,
                "{path}"
            );
        }
        if !untouched.contains(&path.as_str()) {
            nested_canary(dialect, request, path);
        }
    }
}

/// The same with a canary in JSON in the string, two layers deep, as tools are called and answer.
fn nested_canary(dialect: &dyn Dialect, request: &Value, path: &str) {
    const INNER: &str = "canary-7";
    let inner = json!({"a": [{"deep": INNER, "n": 1}], "b": "\"\n"}).to_string();
    for nested in [inner.clone(), json!({"json": inner}).to_string()] {
        let mut with = request.clone();
        *with.pointer_mut(path).unwrap() = Value::from(nested.clone());
        let body = serde_json::to_vec(&with).unwrap();
        let text = dialect.request(&body).unwrap().text;
        let at = memchr::memmem::find(text.bytes(), INNER.as_bytes());
        let at = at.unwrap_or_else(|| panic!("{path}: {nested} is not seen"));
        let edit = text.edit(&body, at..at + INNER.len(), b"CG_X").unwrap();
        *with.pointer_mut(path).unwrap() = Value::from(nested.replace(INNER, "CG_X"));
        let sealed: Value = serde_json::from_slice(&splice(&body, &[edit])).unwrap();
        assert_eq!(sealed, with, "{path}");
    }
}

#[test]
fn every_place_of_a_chat_request() {
    let request = json!({
        "model": "gpt-x",
        "messages": [
            {"role": "system", "content": "be kind", "name": "operator"},
            {"role": "developer", "content": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}]},
            {"role": "user", "content": [
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": "https://example.com/x?k=1", "detail": "low"}},
                {"type": "image_url", "image_url": "https://example.com/y"},
                {"type": "input_audio", "input_audio": {"data": "UklGR", "format": "wav"}},
                {"type": "file", "file": {"file_id": "file-1", "file_data": "data:application/pdf;base64,JVBE", "filename": "a.pdf"}},
                {"type": "new_part", "new_text": {"deep": ["down"]}},
            ]},
            {"role": "assistant", "content": "both", "refusal": "no", "reasoning_content": "hm", "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "sh", "arguments": "{}"}},
                {"id": "call_2", "type": "custom", "custom": {"name": "exec", "input": "ls"}},
            ], "function_call": {"name": "old", "arguments": "{}"}},
            {"role": "tool", "tool_call_id": "call_1", "content": "output"},
            {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "output"}]},
            {"role": "a role of tomorrow", "content": "x", "novelty": "y"},
        ],
        "tools": [{"type": "function", "function": {"name": "sh", "description": "runs", "parameters": {
            "type": "object", "properties": {"cmd": {"type": "string", "description": "what", "default": "ls", "enum": ["a"]}}}}}],
        "functions": [{"name": "old", "description": "older"}],
        "prediction": {"type": "content", "content": "like this"},
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "description": "d"}},
        "stop": ["END"],
        "user": "u1",
        "metadata": {"k": "v"},
        "prompt_cache_key": "k1",
        "field_of_tomorrow": {"text": "z", "type": "t", "id": "i", "signature": "s", "data": "d"},
    });
    canaries(
        chat(),
        &request,
        &[
            "/model",
            "/messages/0/role",
            "/messages/1/role",
            "/messages/2/role",
            "/messages/3/role",
            "/messages/4/role",
            "/messages/5/role",
            "/messages/6/role",
            "/messages/1/content/0/type",
            "/messages/1/content/0/cache_control/type",
            "/messages/2/content/0/type",
            "/messages/2/content/1/type",
            "/messages/2/content/2/type",
            "/messages/2/content/3/type",
            "/messages/2/content/4/type",
            "/messages/2/content/5/type",
            "/messages/2/content/1/image_url/detail",
            "/messages/2/content/3/input_audio/data",
            "/messages/2/content/3/input_audio/format",
            "/messages/2/content/4/file/file_id",
            "/messages/2/content/4/file/file_data",
            "/messages/3/tool_calls/0/id",
            "/messages/3/tool_calls/0/type",
            "/messages/3/tool_calls/1/id",
            "/messages/3/tool_calls/1/type",
            "/messages/4/tool_call_id",
            "/messages/5/tool_call_id",
            "/messages/5/content/0/type",
            "/prediction/type",
            "/prompt_cache_key",
        ],
    );
}

#[test]
fn every_place_of_a_responses_request() {
    let request = json!({
        "model": "gpt-x",
        "instructions": "be kind",
        "input": [
            {"type": "message", "id": "msg_1", "role": "user", "status": "completed", "content": [
                {"type": "input_text", "text": "look"},
                {"type": "input_image", "image_url": "https://example.com/x", "detail": "low", "file_id": "f"},
                {"type": "input_file", "file_data": "JVBE", "file_id": "f", "filename": "a.pdf", "file_url": "https://example.com/y"},
                {"type": "input_audio", "input_audio": {"data": "UklGR", "format": "wav"}},
                {"type": "output_text", "text": "said", "annotations": [
                    {"type": "url_citation", "url": "https://example.com", "title": "t"},
                    {"type": "file_citation", "file_id": "f", "filename": "n"}]},
            ]},
            {"role": "user", "content": "short form"},
            {"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAAA", "summary": [{"type": "summary_text", "text": "thought"}],
                "content": [{"type": "reasoning_text", "text": "more"}]},
            {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "sh", "arguments": "{}", "status": "completed"},
            {"type": "function_call_output", "call_id": "call_1", "output": "done"},
            {"type": "function_call_output", "call_id": "call_1", "output": [
                {"type": "input_text", "text": "part"}, {"type": "input_image", "image_url": "https://example.com/z"}]},
            {"type": "custom_tool_call", "id": "ct_1", "call_id": "call_2", "name": "exec", "input": "ls"},
            {"type": "custom_tool_call_output", "call_id": "call_2", "output": "done"},
            {"type": "local_shell_call", "id": "ls_1", "call_id": "call_3", "status": "completed",
                "action": {"type": "exec", "command": ["bash", "-lc", "ls"], "env": {"K": "v"}, "working_directory": "/x"}},
            {"type": "local_shell_call_output", "call_id": "call_3", "output": "{}"},
            {"type": "shell_call_output", "call_id": "call_4", "output": [{"stdout": "o", "stderr": "e", "outcome": {"type": "exit"}}]},
            {"type": "mcp_call", "id": "mcp_1", "name": "n", "arguments": "{}", "output": "o", "error": "e", "server_label": "s"},
            {"type": "code_interpreter_call", "id": "ci_1", "container_id": "c", "code": "print()", "outputs": [{"type": "logs", "logs": "l"}]},
            {"type": "file_search_call", "id": "fs_1", "queries": ["q"], "results": [{"file_id": "f", "text": "t", "filename": "n"}]},
            {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "iVBOR", "revised_prompt": "p"},
            {"type": "computer_call_output", "call_id": "call_5", "output": {"type": "computer_screenshot", "image_url": "https://example.com/s"}},
            {"type": "additional_tools", "tools": [{"type": "custom", "name": "exec", "description": "runs"}]},
            {"type": "compaction", "id": "cm_1", "encrypted_content": "gAAAA"},
            {"type": "item of tomorrow", "novelty": {"text": "n"}},
        ],
        "prompt": {"id": "pmpt_1", "version": "2", "variables": {"a": "v", "b": {"type": "input_text", "text": "w"}}},
        "tools": [{"type": "function", "name": "sh", "description": "runs", "parameters": {"properties": {"cmd": {"description": "what"}}}}],
        "text": {"format": {"type": "json_schema", "name": "n", "description": "d"}},
        "metadata": {"k": "v"},
        "previous_response_id": "resp_0",
        "prompt_cache_key": "k1",
        "conversation": {"id": "conv_1"},
        "include": ["reasoning.encrypted_content"],
        "field_of_tomorrow": {"encrypted_content": "x", "id": "i"},
    });
    let mut untouched = vec![
        "/model",
        "/previous_response_id",
        "/prompt_cache_key",
        "/conversation/id",
        "/include/0",
        "/prompt/id",
        "/prompt/version",
        "/prompt/variables/b/type",
        "/input/0/content/1/detail",
        "/input/0/content/1/file_id",
        "/input/0/content/2/file_data",
        "/input/0/content/2/file_id",
        "/input/0/content/3/input_audio/data",
        "/input/0/content/3/input_audio/format",
        "/input/0/content/4/annotations/0/type",
        "/input/0/content/4/annotations/1/type",
        "/input/0/content/4/annotations/1/file_id",
        "/input/2/encrypted_content",
        "/input/12/container_id",
        "/input/13/results/0/file_id",
        "/input/14/result",
        "/input/17/encrypted_content",
    ];
    let mut all = Vec::new();
    strings(&request, String::new(), &mut all);
    let discriminators = all.iter().filter(|path| {
        let mut parts = path.rsplitn(2, '/');
        let name = parts.next().unwrap_or_default();
        let item = parts.next().unwrap_or_default();
        let depth = item.matches('/').count();
        let free = item.contains("/action") || item.contains("/tools") || item.contains("/outcome");
        item.starts_with("/input/")
            && !free
            && matches!(name, "type" | "role" | "id" | "call_id" | "status")
            && depth <= 4
    });
    untouched.extend(discriminators.map(String::as_str));
    untouched.dedup();
    canaries(responses(), &request, &untouched);
    canaries(
        responses(),
        &json!({"model": "m", "input": "just a string"}),
        &["/model"],
    );
}

#[test]
fn every_place_of_an_anthropic_request() {
    let request = json!({
        "model": "claude-x",
        "system": [{"type": "text", "text": "be kind", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "short form"},
            {"role": "system", "content": "in between"},
            {"role": "user", "content": [
                {"type": "text", "text": "look", "citations": [{"type": "char_location", "cited_text": "c", "document_title": "d", "file_id": "f"}]},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBOR"}},
                {"type": "image", "source": {"type": "url", "url": "https://example.com/x"}},
                {"type": "document", "title": "t", "context": "c", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
                {"type": "document", "source": {"data": "JVBE", "media_type": "application/pdf", "type": "base64"}},
                {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "chunk"}]}},
                {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
                {"type": "search_result", "source": "https://example.com", "title": "t", "content": [{"type": "text", "text": "found"}]},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "deep", "signature": "EqQB"},
                {"type": "redacted_thinking", "data": "EmwK"},
                {"type": "text", "text": "calling"},
                {"type": "tool_use", "id": "toolu_1", "name": "Bash", "caller": {"type": "direct"}, "input": {
                    "command": "ls", "type": "t", "id": "i", "data": "d", "thinking": "x", "signature": "s",
                    "source": {"type": "base64", "data": "d"}, "deep": [["down"]]}},
                {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "q"}},
                {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [
                    {"type": "web_search_result", "url": "https://example.com", "title": "t", "encrypted_content": "EqgB"}]},
                {"type": "code_execution_tool_result", "tool_use_id": "srv_2", "content": {"type": "code_execution_result", "stdout": "o", "stderr": "e"}},
                {"type": "block of tomorrow", "novelty": {"text": "n"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "short form"},
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": [
                    {"type": "text", "text": "long form"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBOR"}}]},
            ]},
        ],
        "tools": [{"type": "custom", "name": "Bash", "description": "runs", "cache_control": {"type": "ephemeral"},
            "input_schema": {"type": "object", "properties": {"command": {"type": "string", "description": "what"}}}}],
        "stop_sequences": ["END"],
        "metadata": {"user_id": "user_1"},
        "field_of_tomorrow": {"thinking": "z", "data": "d"},
    });
    let mut untouched = vec![
        "/model",
        "/metadata/user_id",
        "/system/0/type",
        "/system/0/cache_control/type",
        "/tools/0/type",
        "/tools/0/cache_control/type",
        "/messages/2/content/0/citations/0/type",
        "/messages/2/content/0/citations/0/file_id",
        "/messages/2/content/1/source/data",
        "/messages/2/content/1/source/media_type",
        "/messages/2/content/3/source/media_type",
        "/messages/2/content/4/source/data",
        "/messages/2/content/4/source/media_type",
        "/messages/2/content/6/source/file_id",
        "/messages/2/content/5/source/content/0/type",
        "/messages/2/content/7/content/0/type",
        "/messages/3/content/0/thinking",
        "/messages/3/content/0/signature",
        "/messages/3/content/1/data",
        "/messages/3/content/3/id",
        "/messages/3/content/3/caller/type",
        "/messages/3/content/4/id",
        "/messages/3/content/5/tool_use_id",
        "/messages/3/content/6/tool_use_id",
        "/messages/3/content/5/content/0/type",
        "/messages/3/content/5/content/0/encrypted_content",
        "/messages/3/content/6/content/type",
        "/messages/4/content/0/tool_use_id",
        "/messages/4/content/1/tool_use_id",
        "/messages/4/content/1/content/0/type",
        "/messages/4/content/1/content/1/type",
        "/messages/4/content/1/content/1/source/type",
        "/messages/4/content/1/content/1/source/data",
        "/messages/4/content/1/content/1/source/media_type",
    ];
    let mut all = Vec::new();
    strings(&request, String::new(), &mut all);
    let structure = |path: &str| {
        let depth = path.matches('/').count();
        path.starts_with("/messages/")
            && (path.ends_with("/role") && depth == 3
                || path.ends_with("/type") && depth == 5
                || path.ends_with("/source/type") && depth == 6)
    };
    untouched.extend(
        all.iter()
            .map(String::as_str)
            .filter(|path| structure(path)),
    );
    // With a canary for its type, a source is no longer base64: what it holds is text then.
    canaries(anthropic(), &request, &untouched);
    canaries(
        anthropic(),
        &json!({"system": "short form", "messages": []}),
        &[],
    );
}

#[test]
fn every_string_of_an_opaque_request() {
    let request = json!({"a": "x", "type": ["y", {"id": "z", "data": "d"}], "signature": "s"});
    canaries(opaque(), &request, &[]);
}
