// Rewrites two things that TypeScript puts into dist/ and that bundlers warn of. Run after `tsc`; what is plain already stays as
// it is, and line numbers stay, for the source maps.
//
//   (this && this.__addDisposableResource) || function   a module has no `this`; the function alone is meant
//   import(__rewriteRelativeImportExtension(name))       hides the comments, by which bundlers know that they shall not follow
//                                                        it; no path is imported so, only names of packages
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const packages = fileURLToPath(new URL("../packages/", import.meta.url));
for (const folder of readdirSync(packages).map((name) => join(packages, name, "dist"))) {
  for (const name of readdirSync(folder, { recursive: true }).filter((file) => file.endsWith(".js"))) {
    const file = join(folder, name);
    const before = readFileSync(file, "utf8");
    const after = before
      .replace(/\bimport\(__rewriteRelativeImportExtension\((.*)\)\)/g, "import($1)")
      .replace(/^var __rewriteRelativeImportExtension = [\s\S]*?^};$/m, (helper) => helper.replace(/[^\n]/g, ""))
      .replace(/\(this && this\.__\w+\) \|\| (?=\(?function\b)/g, "");
    if (after !== before) writeFileSync(file, after);
  }
}
