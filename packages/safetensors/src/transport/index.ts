// Requests with limits, for this package and for those that read other files beside a checkpoint. Not a public API.
export { displayUrl, withoutSecrets } from "./display.ts";
export { type TransportCode, TransportError } from "./failure.ts";
export type { SendOptions } from "./options.ts";
export { pause, retrying } from "./retries.ts";
export { type Answer, send, statusError } from "./send.ts";
