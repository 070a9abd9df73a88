import "@gpt2-ts/gpt2/worker/thread";
