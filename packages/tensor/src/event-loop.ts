/**
 * Lets everything else that waits run: input, signals, timers, rendering. A promise that is already settled does not do
 * that, so a loop that computes between awaits has to ask for it.
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
