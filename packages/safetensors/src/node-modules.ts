interface NodeModules {
  "node:crypto": typeof import("node:crypto");
  "node:fs/promises": typeof import("node:fs/promises");
  "node:path": typeof import("node:path");
  "node:url": typeof import("node:url");
}

/**
 * A Node built-in module, or undefined outside Node. `process.getBuiltinModule` rather than an import, so that
 * bundlers for browsers have nothing to resolve.
 */
export function nodeModule<Id extends keyof NodeModules>(id: Id): NodeModules[Id] | undefined {
  return globalThis.process?.getBuiltinModule?.(id);
}
