import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

export type BrowserName = "chromium" | "firefox";

const environment: Readonly<Record<BrowserName, string>> = { chromium: "CHROMIUM_PATH", firefox: "FIREFOX_PATH" };

const commands: Readonly<Record<BrowserName, readonly string[]>> = {
  chromium: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge"],
  firefox: ["firefox-esr", "firefox"],
};

const elsewhere: Readonly<Record<BrowserName, readonly string[]>> = {
  chromium: [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
    "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
  ],
  firefox: ["/Applications/Firefox.app/Contents/MacOS/firefox", "C:\\Program Files\\Mozilla Firefox\\firefox.exe"],
};

/** An installed browser's program: the one that `CHROMIUM_PATH` or `FIREFOX_PATH` names, or one in a usual place. */
export function findBrowser(name: BrowserName): string | undefined {
  const named = process.env[environment[name]];
  if (named !== undefined && named !== "") return isProgram(named) ? named : undefined;
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates = [
    ...commands[name].flatMap((command) => folders.map((folder) => join(folder, command))),
    ...elsewhere[name],
  ];
  return candidates.find(isProgram);
}

/** What to do when there is none. */
export function howToInstall(name: BrowserName): string {
  const debian = name === "firefox" ? "firefox-esr" : name;
  return `no ${name} found: install one (Debian: apt-get install ${debian}) or set ${environment[name]}`;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
