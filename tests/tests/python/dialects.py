# Asks the same of every dialect, streaming and not, and prints what the official SDKs understood.
import json
import sys

import anthropic
import openai

PROMPT = sys.stdin.read() or "hi"
SCHEMA = {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]}
FUNCTION = {"name": "look", "description": "Looks.", "parameters": SCHEMA}

said = {}
client = openai.OpenAI()
ask = {
    "model": "gpt-5",
    "messages": [{"role": "user", "content": PROMPT}],
    "tools": [{"type": "function", "function": FUNCTION}],
}


def note(way, text, arguments):
    said[way] = {"text": text, "arguments": json.loads(arguments) if arguments else None}


message = client.chat.completions.create(**ask).choices[0].message
note("chat", message.content, message.tool_calls and message.tool_calls[0].function.arguments)

text, arguments = "", ""
for chunk in client.chat.completions.create(stream=True, **ask):
    for choice in chunk.choices:
        text += choice.delta.content or ""
        for call in choice.delta.tool_calls or []:
            assert call.index == 0, call
            arguments += call.function.arguments or ""
note("chat_stream", text, arguments)

ask = {"model": "gpt-5", "input": PROMPT, "tools": [{"type": "function", **FUNCTION}]}


def calls(response):
    return "".join(item.arguments for item in response.output if item.type == "function_call")


response = client.responses.create(**ask)
note("responses", response.output_text, calls(response))

text, arguments = "", ""
for event in client.responses.create(stream=True, **ask):
    if event.type == "response.output_text.delta":
        text += event.delta
    elif event.type == "response.function_call_arguments.delta":
        arguments += event.delta
    elif event.type == "response.completed":
        # The aggregate repeats what the deltas said.
        assert event.response.output_text == text, (event.response.output_text, text)
        assert calls(event.response) == arguments, (calls(event.response), arguments)
note("responses_stream", text, arguments)

client = anthropic.Anthropic()
ask = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 1000,
    "messages": [{"role": "user", "content": PROMPT}],
    "tools": [{"name": "look", "description": "Looks.", "input_schema": SCHEMA}],
}


def note_message(way, message):
    text = "".join(block.text for block in message.content if block.type == "text")
    inputs = [block.input for block in message.content if block.type == "tool_use"]
    said[way] = {"text": text, "arguments": inputs[0] if inputs else None}


note_message("messages", client.messages.create(**ask))
with client.messages.stream(**ask) as stream:
    note_message("messages_stream", stream.get_final_message())

print(json.dumps(said))
