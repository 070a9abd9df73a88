/** Moves the focus to the place behind the text, once it is drawn. */
export function focusNext(): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>(".token.next")?.focus());
}
