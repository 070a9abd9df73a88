/** A training that cannot go on. */
export class TrainingError extends Error {
  override readonly name = "TrainingError";
  /** The step at which it stopped; nothing of it was applied. */
  readonly step: number;
  constructor(step: number, message: string) {
    super(`step ${step}: ${message}`);
    this.step = step;
  }
}
