// The service worker: keeps the page and the model beside it, so that both open without a network. build/offline.ts puts in what the
// page consists of.

const worker = globalThis as unknown as ServiceWorkerGlobalScope;
/** The page's files, by their addresses as seen from the page; the page itself is the first. */
declare const __FILES__: readonly string[];
/** Another one for each build. */
declare const __VERSION__: string;

const PREFIX = "playground ";
const CACHE = `${PREFIX}${__VERSION__}`;

worker.addEventListener("install", (event) => event.waitUntil(keep()));
worker.addEventListener("activate", (event) => event.waitUntil(forgetOthers()));
worker.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  if (method !== "GET" || !url.startsWith(worker.registration.scope)) return;
  event.respondWith(mode === "navigate" ? page(event.request) : file(event.request));
});

async function keep(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(__FILES__);
  await worker.skipWaiting();
}

async function forgetOthers(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}

/** From the network, so that a new build is seen; without one, as it was kept. */
async function page(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(__FILES__[0]!, { cacheName: CACHE });
    if (kept === undefined) throw error;
    // A server that redirects index.html has made an answer that no navigation takes.
    return new Response(kept.body, { headers: kept.headers });
  }
}

/** What is kept is right for ever: names of scripts change with what is in them, and the cache with the build. */
async function file(request: Request): Promise<Response> {
  return (await caches.match(request, { cacheName: CACHE, ignoreVary: true })) ?? fetch(request);
}
