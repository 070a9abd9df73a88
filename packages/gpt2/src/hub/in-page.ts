/** Whether this is a page or its worker: there `fetch` follows redirects by itself, and nobody sets variables. */
export const inPage = globalThis.process?.getBuiltinModule === undefined;
