// The library in a worker of the page, as an application would use it to keep its page responsive.
import { carryOut, type Order } from "./orders.ts";

addEventListener("message", async (event: MessageEvent<Order>) => postMessage(await carryOut(event.data)));
