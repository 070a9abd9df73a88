/** Work that is done turn by turn, of which each can be stopped without the rest. */
export class Turns {
  #current: AbortController | undefined;

  /** Stops the turn that is going on. @returns false if there is none, or it was stopped already */
  stop(): boolean {
    if (this.#current === undefined || this.#current.signal.aborted) return false;
    this.#current.abort();
    return true;
  }

  /**
   * Takes a turn.
   *
   * @returns false if it was stopped
   * @param signal aborts it, and is the reason then
   */
  async take(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    const controller = new AbortController();
    this.#current = controller;
    try {
      await work(AbortSignal.any([signal, controller.signal]));
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (controller.signal.aborted) return false;
      throw error;
    } finally {
      this.#current = undefined;
    }
  }
}
