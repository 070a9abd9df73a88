/** @returns the value of an ETag header without quotes and weakness mark, as the hub's cache names its blobs by it */
export function normalizeEtag(header: string | null): string | undefined {
  const value = header?.replace(/^W\//, "").replace(/^"(.*)"$/, "$1");
  return value === "" ? undefined : value;
}

/** @returns the ETag that `If-Range` may carry: a strong one, as a weak one does not promise the same bytes */
export function strongEtag(response: Response): string | undefined {
  const etag = response.headers.get("etag");
  return etag !== null && /^"[\x21\x23-\x7e]+"$/.test(etag) ? etag : undefined;
}
