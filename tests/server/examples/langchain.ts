import { OpenAI } from "@langchain/openai";

const llm = new OpenAI({
  model: "gpt2",
  apiKey: "none",
  maxTokens: 40,
  configuration: { baseURL: "http://localhost:8080/v1" },
});
console.log(await llm.invoke("Now is the winter", { stop: ["\n"] }));
