import http from "node:http";

/**
 * Lets `fetch` go through the proxy that `HTTPS_PROXY` or `HTTP_PROXY` names, except to the hosts of `NO_PROXY`. Where Node cannot
 * do that after its start, a failed request says how to start it.
 */
export function useProxy(): void {
  const { env } = process;
  const variables = ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"];
  if (env["NODE_USE_ENV_PROXY"] !== undefined || !variables.some((name) => env[name])) return;
  // Since Node 24.14.
  const { setGlobalProxyFromEnv } = http as typeof http & { setGlobalProxyFromEnv?: () => void };
  if (setGlobalProxyFromEnv === undefined) return;
  setGlobalProxyFromEnv();
  env["NODE_USE_ENV_PROXY"] = "1";
}
