/**
 * What to do where the environment names a proxy for this URL and Node does not use it: by itself its `fetch` goes past proxies.
 * Undefined where that is not the case.
 */
export function proxyHint(url: URL): string | undefined {
  const process = globalThis.process;
  if (process?.getBuiltinModule === undefined) return undefined;
  const { env } = process;
  const name = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const variable = [name.toLowerCase(), name].find((key) => env[key]);
  if (variable === undefined || isExempt(url, env["no_proxy"] || env["NO_PROXY"] || "")) return undefined;
  // Each of the three makes Node read the variables when it starts.
  const flag = "--use-env-proxy";
  const flags = [...process.execArgv, ...(env["NODE_OPTIONS"] ?? "").split(/\s+/)];
  if (env["NODE_USE_ENV_PROXY"] === "1" || flags.includes(flag)) {
    return supportsProxies(flag) ? `check ${variable}` : needsNode(variable);
  }
  return supportsProxies(flag) ? `to use ${variable}, set NODE_USE_ENV_PROXY=1` : needsNode(variable);
}

function supportsProxies(flag: string): boolean {
  return process.allowedNodeEnvironmentFlags.has(flag);
}

function needsNode(variable: string): string {
  const wanted = "Node 22.21, 24.5 or later with NODE_USE_ENV_PROXY=1";
  return `${variable} is not used by Node ${process.versions.node}; run it with ${wanted}`;
}

/** Whether `NO_PROXY` has the host: `*`, `example.com` and what lies below it, with or without a port. */
function isExempt(url: URL, list: string): boolean {
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === "*") return true;
    const [, host = "", port = ""] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    if (host === "" || (port !== "" && port !== url.port)) return false;
    return url.hostname === host || url.hostname.endsWith(`.${host}`);
  });
}
