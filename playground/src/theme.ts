import { computed, effect, signal } from "@preact/signals";

// Light or dark: as the reader's system has it, or as chosen here or on the other pages of the site, which share the setting.

const KEY = "vitepress-theme-appearance";
type Appearance = "auto" | "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(system.matches);
system.addEventListener("change", ({ matches }) => {
  systemIsDark.value = matches;
});

function stored(): Appearance {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "auto";
  } catch {
    return "auto"; // the site may store nothing here
  }
}

const appearance = signal<Appearance>(stored());

/** What is shown: for pictures that are drawn in either. */
export const theme = computed<"light" | "dark">(() => {
  if (appearance.value !== "auto") return appearance.value;
  return systemIsDark.value ? "dark" : "light";
});

export function switchTheme(): void {
  const other = theme.peek() === "dark" ? "light" : "dark";
  const asSystem = (other === "dark") === systemIsDark.peek();
  appearance.value = asSystem ? "auto" : other;
  try {
    localStorage.setItem(KEY, appearance.value);
  } catch {
    // it holds until the page is closed
  }
}

effect(() => {
  document.documentElement.style.colorScheme = theme.value;
});
