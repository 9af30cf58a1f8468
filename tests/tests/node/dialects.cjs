// Asks the same of every dialect, streaming and not, and prints what the official SDKs understood.
// Their helpers read each stream to its end, and put the answer together from its events.
const { readFileSync } = require("node:fs");
const { OpenAI } = require("openai");
const { Anthropic } = require("@anthropic-ai/sdk");

const content = readFileSync(0, "utf8") || "hi";
const schema = { type: "object", properties: { at: { type: "string" } }, required: ["at"] };
const tool = { name: "look", description: "Looks.", parameters: schema };
const said = {};

function note(way, text, input) {
  said[way] = { text: text ?? null, arguments: input ? JSON.parse(input) : null };
}

function same(one, other) {
  if (one !== other) throw new Error(`${JSON.stringify(one)} is not ${JSON.stringify(other)}`);
}

async function chat(client) {
  const ask = {
    model: "gpt-5",
    messages: [{ role: "user", content }],
    tools: [{ type: "function", function: tool }],
  };
  const take = (way, { message }) =>
    note(way, message.content, message.tool_calls?.[0]?.function.arguments);
  take("chat", (await client.chat.completions.create(ask)).choices[0]);
  const stream = client.chat.completions.stream(ask);
  take("chat_stream", (await stream.finalChatCompletion()).choices[0]);
}

async function responses(client) {
  const ask = { model: "gpt-5", input: content, tools: [{ type: "function", ...tool }] };
  const calls = ({ output }) =>
    output.filter((item) => item.type === "function_call").map((item) => item.arguments).join("");
  const whole = await client.responses.create(ask);
  note("responses", whole.output_text, calls(whole));
  const stream = client.responses.stream(ask);
  let [text, input] = ["", ""];
  for await (const event of stream) {
    if (event.type === "response.output_text.delta") text += event.delta;
    if (event.type === "response.function_call_arguments.delta") input += event.delta;
  }
  const final = await stream.finalResponse();
  // The aggregate repeats what the deltas said.
  const parts = final.output.flatMap((item) => item.content ?? []);
  same(parts.map((part) => part.text).join(""), text);
  same(calls(final), input);
  note("responses_stream", text, input);
}

async function messages(client) {
  const { parameters, ...rest } = tool;
  const ask = {
    model: "claude-sonnet-4-5",
    max_tokens: 1000,
    messages: [{ role: "user", content }],
    tools: [{ ...rest, input_schema: parameters }],
  };
  const take = (way, message) => {
    const of = (type) => message.content.filter((block) => block.type === type);
    const text = of("text").map((block) => block.text).join("");
    said[way] = { text, arguments: of("tool_use")[0]?.input ?? null };
  };
  take("messages", await client.messages.create(ask));
  take("messages_stream", await client.messages.stream(ask).finalMessage());
}

(async () => {
  await chat(new OpenAI());
  await responses(new OpenAI());
  await messages(new Anthropic());
  console.log(JSON.stringify(said));
})();
