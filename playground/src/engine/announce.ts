import { signal } from "@preact/signals";

/** What screen readers say next: few words about what the reader asked for, when it is done. */
export const announcement = signal("");

export function announce(words: string): void {
  announcement.value = announcement.peek() === words ? `${words}\u00a0` : words; // the same words twice are no change otherwise
}
