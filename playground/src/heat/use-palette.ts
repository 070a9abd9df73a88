import { computed, type ReadonlySignal } from "@preact/signals";
import { theme } from "../theme.ts";
import { type Colour, colourOf, type Palette } from "./paint.ts";

/** The colours that canvases have just now. */
const palette: ReadonlySignal<Palette> = computed(() => {
  theme.value; // other colours from here on
  const probe = document.body.appendChild(document.createElement("i"));
  const colour = (name: string): Colour => {
    probe.style.color = `var(${name})`;
    return colourOf(getComputedStyle(probe).color);
  };
  const found = { up: colour("--up"), down: colour("--down"), share: colour("--accent") };
  probe.remove();
  return found;
});

export function usePalette(): Palette {
  return palette.value;
}
