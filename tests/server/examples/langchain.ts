import { OpenAI } from "@langchain/openai";

const llm = new OpenAI({
  model: "stories",
  apiKey: "none",
  maxTokens: 40,
  temperature: 0.7,
  configuration: { baseURL: "http://localhost:8080/v1" },
});
console.log(await llm.invoke("Once upon a time", { stop: ["."] }));
