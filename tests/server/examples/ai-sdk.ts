import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { streamText } from "ai";

const plain: typeof fetch = (url, init) => {
  const body = JSON.parse(String(init?.body));
  const prompt = body.prompt.replace(/^user:\n(.*)\n\nassistant:\n$/s, "$1");
  return fetch(url, { ...init, body: JSON.stringify({ ...body, prompt }) });
};
const provider = createOpenAICompatible({ name: "gpt2", baseURL: "http://localhost:8080/v1", fetch: plain });
const model = provider.completionModel("stories");
const options = { maxOutputTokens: 40, temperature: 0.7, seed: 1 };
const { textStream } = streamText({ model, prompt: "Once upon a time", ...options });
for await (const text of textStream) process.stdout.write(text);
