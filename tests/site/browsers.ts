import { type BrowserName, findBrowser, howToInstall } from "../browser/support/find-browser.ts";

/** Whether the tests in a browser run: where it is not installed they are left out, with a notice; in CI they fail instead. */
export function testsRunIn(name: BrowserName): boolean {
  if (findBrowser(name) !== undefined || process.env["CI"]) return true;
  console.warn(`Nothing is tested in ${name}: ${howToInstall(name)}.`);
  return false;
}

/** A browser's program. @throws Error that says how to install it */
export function programOf(name: BrowserName): string {
  const program = findBrowser(name);
  if (program === undefined) throw new Error(howToInstall(name));
  return program;
}
