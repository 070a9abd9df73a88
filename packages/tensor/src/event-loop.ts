/**
 * Lets everything else run that waits: input, signals, timers, rendering. Awaiting a settled promise does not, so a loop that
 * computes between awaits has to call this.
 */
export function yieldToEventLoop(): Promise<void> {
  if (typeof setImmediate === "function") return new Promise((resolve) => setImmediate(resolve));
  // In a page a timer would wait 4 ms; a message does not.
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
