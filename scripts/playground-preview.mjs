// The playground as built in playground/dist, on a server of this machine.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { preview } from "vite";

/** @param isolated with the two headers that give its model threads; as they are in its Vite config */
export async function previewPlayground({ isolated = true } = {}) {
  const server = await preview({
    root: join(fileURLToPath(new URL("..", import.meta.url)), "playground"),
    logLevel: "error",
    preview: { host: "127.0.0.1", port: 0, ...(!isolated && { headers: {} }) },
  });
  return { url: server.resolvedUrls.local[0], close: () => server.close() };
}

/** Chromium's program. */
export const CHROMIUM = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
