interface NodeModules {
  "node:crypto": typeof import("node:crypto");
  "node:fs/promises": typeof import("node:fs/promises");
  "node:path": typeof import("node:path");
  "node:url": typeof import("node:url");
}

/**
 * A Node built-in module; undefined outside Node. Through `process.getBuiltinModule` instead of an import, so that
 * bundlers for browsers have nothing to resolve.
 */
export function nodeModule<Id extends keyof NodeModules>(id: Id): NodeModules[Id] | undefined {
  return globalThis.process?.getBuiltinModule?.(id);
}
