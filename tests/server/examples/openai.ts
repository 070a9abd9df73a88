import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8080/v1", apiKey: "none" });
const stream = await client.completions.create({
  model: "stories",
  prompt: "Once upon a time",
  max_tokens: 40,
  temperature: 0.7,
  seed: 1,
  stream: true,
});
for await (const { choices } of stream) process.stdout.write(choices[0]?.text ?? "");
