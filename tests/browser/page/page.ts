import { type Answer, carryOut, type Order } from "./orders.ts";

declare global {
  /** Runs a check, for a driver that can call functions in the page. */
  var carryOutOrder: (order: Order) => Promise<Answer>;
}

const inWorker = new URLSearchParams(location.search).has("worker");
globalThis.carryOutOrder = inWorker ? throughWorker() : carryOut;
if (new URLSearchParams(location.search).has("orders")) void followOrders();

function throughWorker(): (order: Order) => Promise<Answer> {
  const worker = new Worker("worker.js", { type: "module" });
  return (order) =>
    new Promise((resolve, reject) => {
      worker.onmessage = (event: MessageEvent<Answer>) => resolve(event.data);
      worker.onerror = (event) => reject(new Error(`the worker failed: ${event.message}`));
      worker.postMessage(order);
    });
}

/** For a browser without a driver: fetches orders from the server and posts the answers, one after the other. */
async function followOrders(): Promise<void> {
  for (;;) {
    const response = await fetch("/orders/next");
    if (response.status !== 200) continue;
    const answer = await globalThis.carryOutOrder((await response.json()) as Order);
    await fetch("/orders/answer", { method: "POST", body: JSON.stringify(answer) });
  }
}
