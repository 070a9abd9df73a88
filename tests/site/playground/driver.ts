// A page that holds the playground in a frame and does in it what a test says: so it is driven alike in browsers with and without a
// driver of their own.
import { carryOutOneOf } from "../../browser/page/carry-out.ts";
import type { Order } from "../../browser/page/orders.ts";

let frame: HTMLIFrameElement | undefined;
const wrong: string[] = [];
const downloads: { readonly name: string; readonly url: string }[] = [];

const inside = (): Window & typeof globalThis => frame!.contentWindow as Window & typeof globalThis;

function find(selector: string, index = 0): HTMLElement {
  const found = inside().document.querySelectorAll<HTMLElement>(selector)[index];
  if (found === undefined) throw new Error(`there is no ${selector} number ${index}`);
  return found;
}

/** What can be done in the frame. Arguments and results are JSON. */
export const actions = {
  /** Opens an address in a new frame. */
  async open(address: string): Promise<void> {
    frame?.remove();
    frame = document.createElement("iframe");
    frame.style.cssText = "width: 1200px; height: 900px; border: 0";
    frame.src = address;
    document.body.append(frame);
    await new Promise((resolve) => frame!.addEventListener("load", resolve, { once: true }));
    const { console } = inside();
    const { error } = console;
    console.error = (...what: unknown[]) => {
      wrong.push(what.map(String).join(" "));
      error(...what);
    };
    inside().addEventListener("error", (event) => void wrong.push(event.message));
    inside().addEventListener("unhandledrejection", (event) => void wrong.push(String(event.reason)));
  },
  /** The text of each element; of a field, what is in it. */
  texts(selector: string): string[] {
    return Array.from(inside().document.querySelectorAll<HTMLElement>(selector), (element) =>
      "value" in element && element.tagName !== "BUTTON" ? String(element.value) : (element.textContent ?? "").trim(),
    );
  },
  attributes(selector: string, name: string): (string | null)[] {
    return Array.from(inside().document.querySelectorAll(selector), (element) => element.getAttribute(name));
  },
  click(selector: string, index: number): void {
    find(selector, index).click();
  },
  /** Writes into a field, or moves a slider, as a hand does. */
  fill(selector: string, value: string): void {
    const field = find(selector) as HTMLInputElement;
    field.focus();
    const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value")!;
    set!.call(field, value);
    field.dispatchEvent(new (inside().Event)("input", { bubbles: true }));
    field.dispatchEvent(new (inside().Event)("change", { bubbles: true }));
  },
  press(selector: string, key: string): void {
    find(selector).dispatchEvent(new (inside().KeyboardEvent)("keydown", { key, bubbles: true, cancelable: true }));
  },
  /** From now on downloads are kept for `download`. */
  keepDownloads(): void {
    const { prototype } = inside().HTMLAnchorElement;
    const { click } = prototype;
    prototype.click = function () {
      if (this.download === "") click.call(this);
      else downloads.push({ name: this.download, url: this.href });
    };
  },
  /** The oldest download that was kept: its name, and its bytes as base64. */
  async download(): Promise<{ readonly name: string; readonly base64: string } | undefined> {
    const found = downloads.shift();
    if (found === undefined) return undefined;
    const reader = new FileReader();
    reader.readAsDataURL(await (await inside().fetch(found.url)).blob());
    await new Promise((resolve) => reader.addEventListener("load", resolve));
    return { name: found.name, base64: String(reader.result).replace(/^.*,/, "") };
  },
  /** Writes another part behind the `#` of the address, as a reader does. */
  follow(hash: string): void {
    inside().location.hash = hash;
  },
  address(): string {
    return inside().location.href;
  },
  isolated(): boolean {
    return inside().crossOriginIsolated;
  },
  /** Errors that nobody caught, and what the console was told. */
  wrong(): string[] {
    return wrong.splice(0);
  },
};

export type Actions = typeof actions;

globalThis.carryOutOrder = (order: Order) => carryOutOneOf(actions, order);
if (new URLSearchParams(location.search).has("orders")) void followOrders();

async function followOrders(): Promise<void> {
  for (;;) {
    const response = await fetch("/orders/next");
    if (response.status !== 200) continue;
    const answer = await globalThis.carryOutOrder((await response.json()) as Order);
    await fetch("/orders/answer", { method: "POST", body: JSON.stringify(answer) });
  }
}
