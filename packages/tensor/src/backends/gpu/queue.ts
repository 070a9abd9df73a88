/**
 * Runs tasks one after the other, each as soon as those before it are done: at once, within the call, unless one of
 * them is waiting for something. Tasks handle their own errors.
 */
export class TaskQueue {
  readonly #waiting: (() => Promise<void> | void)[] = [];
  #busy = false;

  run(task: () => Promise<void> | void): void {
    this.#waiting.push(task);
    if (!this.#busy) this.#drain();
  }

  /** As {@link TaskQueue.run}, for a task that may throw: the promise settles as it does. */
  do<Result>(task: () => Promise<Result> | Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.run(() => {
        try {
          const going = task();
          if (going instanceof Promise) return going.then(resolve, reject);
          resolve(going);
        } catch (error) {
          reject(error);
        }
        return undefined;
      });
    });
  }

  #drain(): void {
    this.#busy = true;
    let going: Promise<void> | undefined;
    try {
      while (!going && this.#waiting.length > 0) going = this.#waiting.shift()!() ?? undefined;
    } finally {
      this.#busy = going !== undefined;
    }
    const drain = (): void => this.#drain();
    void going?.then(drain, drain);
  }
}
