/** The line over which tabs and workers of a site are told that what is kept has changed. */
export type Changes = Pick<BroadcastChannel, "postMessage" | "close">;

export function openChanges(): BroadcastChannel {
  return new BroadcastChannel("gpt2-ts: models");
}

/**
 * Calls a listener whenever models have come, grown or gone, here or in another tab or worker of the site: when what came of a download is
 * kept, also of one that was stopped, and when a model was converted or deleted. It is not told of a tab that is closed during a download.
 *
 * @returns what ends it
 */
export function watchCachedModels(listener: () => void): () => void {
  const channel = openChanges();
  channel.onmessage = () => listener();
  return () => channel.close();
}
