/** From now on this browser keeps the page, where it may: the next visit needs no network. */
export async function keepPage(): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register("offline.js");
  } catch {
    // the browser keeps nothing here, as in a private window: the page works all the same
  }
}
