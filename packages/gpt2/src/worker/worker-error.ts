/** A worker that could not be started, or ended while it was needed. Load the model again to go on. */
export class WorkerError extends Error {
  override readonly name = "WorkerError";
}
