/**
 * A URL for messages: without user, password, query and fragment, any of which may be secret (signed URLs, tokens). A string may be
 * no valid URL.
 */
export function displayUrl(url: URL | string): string {
  if (typeof url === "string") return url.replace(/[?#].*$/s, "").replace(/^([^/]*:\/\/)[^/]*@/, "$1");
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** A text of elsewhere for messages: URLs in it lose what {@link displayUrl} leaves out. */
export function withoutSecrets(text: string): string {
  return text.replace(
    /\b([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/?#"'<>]*@)?([^\s?#"'<>]*)[^\s"'<>]*/gi,
    (_, scheme: string, place: string) => scheme + place,
  );
}
