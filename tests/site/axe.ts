import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";

/** axe-core, which `npm run site` installs beside VitePress. */
const AXE = readFileSync(
  fileURLToPath(new URL("../../site/node_modules/axe-core/axe.min.js", import.meta.url)),
  "utf8",
);

/** The part of axe's report that is read. */
interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
}

/** Colours that are on their way to others would be measured as they are on the way. */
const AT_ONCE = "*, ::before, ::after { transition: none !important; animation: none !important }";

/** The serious faults that axe finds in a page in light colours, and those of its colours in dark ones. */
export async function seriousFaults(tab: Page): Promise<string[]> {
  await tab.addStyleTag({ content: AT_ONCE });
  await tab.evaluate(AXE);
  const faults: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await tab.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const violations = await tab.evaluate(async (isDark) => {
      const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<{ violations: unknown }> } };
      const options = { resultTypes: ["violations"], ...(isDark && { runOnly: ["color-contrast"] }) };
      return (await axe.run(options)).violations as Violation[];
    }, colorScheme === "dark");
    for (const { id, impact, nodes } of violations) {
      if (impact !== "serious" && impact !== "critical") continue;
      const [{ target, failureSummary }] = nodes as [Violation["nodes"][number]];
      faults.push(`${colorScheme}: ${id}, ${nodes.length} times: ${target.join(" ")}: ${failureSummary}`);
    }
  }
  await tab.emulateMedia({ colorScheme: "light" });
  return faults;
}
