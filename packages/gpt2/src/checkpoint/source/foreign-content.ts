export const HTML_PAGE = "an HTML page, not the file: a server may answer so for a file that it does not have";

/** Whether a file is a page, by its beginning and what a server says of it. */
export function isHtml(beginning: string, type?: string | null): boolean {
  if (/^\ufeff?\s*<(?:!doctype html|html)\b/i.test(beginning)) return true;
  return /^text\/html\b/i.test(type ?? "") && /^\ufeff?\s*</.test(beginning);
}

/**
 * What a file is, by its beginning, if it is plainly not the file that its name promises: these are what repositories without
 * `git lfs` and development servers hand out.
 */
export function foreignContent(beginning: string): string | undefined {
  if (beginning.startsWith("version https://git-lfs.github.com/spec/")) {
    return 'a Git LFS pointer, not the file itself: run "git lfs pull" in the repository';
  }
  return isHtml(beginning) ? HTML_PAGE : undefined;
}
