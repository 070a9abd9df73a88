/** Of a model's folder; the vocabulary may be in one of two forms. */
const FILES = ["config.json", "vocab.json", "merges.txt", "model.safetensors"] as const;

/**
 * The files of a model on any web server, whole: servers of static files need not know byte ranges.
 *
 * @param onProgress gets the bytes so far, and in total as far as the server says
 * @throws Error that names the file; `signal.reason` when aborted
 */
export async function fetchFolder(
  folder: URL,
  signal: AbortSignal,
  onProgress: (loaded: number, total: number | undefined) => void,
): Promise<Record<string, Blob>> {
  const progress = FILES.map(() => ({ loaded: 0, total: undefined as number | undefined }));
  const tell = (): void => {
    const total = progress.every((file) => file.total !== undefined)
      ? sum(progress.map((file) => file.total!))
      : undefined;
    const loaded = sum(progress.map((file) => file.loaded));
    onProgress(loaded, total === undefined || total < loaded ? undefined : total);
  };
  const blobs = await Promise.all(
    FILES.map(async (name, i) => {
      const response = await fetch(new URL(name, folder), { signal });
      if (!response.ok) throw new Error(`${name}: the server answers ${response.status} ${response.statusText}`);
      const length = Number(response.headers.get("content-length"));
      progress[i]!.total = length > 0 ? length : undefined;
      const parts: Uint8Array<ArrayBuffer>[] = [];
      for (const reader = response.body!.getReader(); ; ) {
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(value);
        progress[i]!.loaded += value.length;
        tell();
      }
      return [name, new Blob(parts)] as const;
    }),
  );
  return Object.fromEntries(blobs);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
