// The jobs of training/, which is another module, as the queue calls them: instantiated in each thread when the first of them runs.

// @ts-expect-error: decorator
@external("training", "runChunk")
export declare function runTrainingChunk(job: i32, chunk: i32): void;
