// Builds one program with every bundler, from the packed tarballs, in an empty project without any configuration: there must not be
// a warning, and what was built must run. Those that take long to install or to build are left out unless `all` is set.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { spawn } from "./processes.mjs";

/** Prints "function 3 function" when it runs. */
const PROGRAM = `import { GPT2 } from "@gpt2-ts/gpt2";
import { tensor } from "@gpt2-ts/tensor";
import { parse } from "safetensors-ts";

console.log(typeof GPT2.load, tensor([1, 2]).sum().itemSync(), typeof parse);
`;
const PRINTS = "function 3 function";

/** As much of a page as the bundlers' own helpers look at before the program runs: where it came from, how modules are preloaded. */
const PAGE = `globalThis.self = globalThis;
globalThis.document = {
  currentScript: { tagName: "SCRIPT", src: "http://page/main.js" },
  createElement: () => ({ relList: { supports: () => true } }),
};
`;
/** Of a failed program's output, which may quote the whole bundle. */
const MOST_CHARACTERS = 2000;

/** Turned off: webpack's hint that a page's JavaScript is above 244 KiB, which ours is (docs/browser.md). Rspack cannot be told to. */
const NO_SIZE_HINTS = "--no-performance";

/** `runs`: how the path of what is run begins. */
const BUNDLERS = [
  {
    name: "esbuild",
    packages: ["esbuild@0.28.2"],
    command: ["esbuild", "src/index.js", "--bundle", "--format=esm", "--splitting", "--outdir=dist/esbuild"],
    runs: "dist/esbuild/index.js",
  },
  {
    name: "Rollup",
    packages: ["rollup@4.68.8", "@rollup/plugin-node-resolve@16"],
    command: ["rollup", "src/index.js", "-p", "node-resolve={browser:true}", "-d", "dist/rollup", "-f", "es"],
    runs: "dist/rollup/index.js",
  },
  {
    name: "Vite",
    packages: ["vite@8.3.8"],
    command: ["vite", "build", "--outDir", "dist/vite"],
    runs: "dist/vite/assets/index-",
  },
  {
    name: "webpack",
    packages: ["webpack@5.113.0", "webpack-cli@7.3.1"],
    command: ["webpack", "--mode", "production", NO_SIZE_HINTS, "--output-path", "dist/webpack"],
    runs: "dist/webpack/main.js",
  },
  {
    name: "Rspack",
    packages: ["@rspack/core@2.3.4", "@rspack/cli@2.2.8"],
    command: ["rspack", "build", "--mode", "production", "--output-path", "dist/rspack"],
    runs: "dist/rspack/main.js",
  },
  {
    name: "Parcel",
    packages: ["parcel@2.16.4"],
    command: ["parcel", "build", "index.html", "--dist-dir", "dist/parcel", "--no-cache"],
    runs: "dist/parcel/",
    slow: true,
    // The one bundler that reads "exports" only where it is told to.
    manifest: { "@parcel/resolver-default": { packageExports: true } },
  },
  ...["webpack", "turbopack"].map((bundler) => ({
    name: `Next.js (${bundler})`,
    packages: ["next@16.4.6", "react@19", "react-dom@19"],
    command: ["next", "build", `--${bundler}`],
    page: ".next/server/app/index.html",
    slow: true,
  })),
];

/** What bundlers begin their warnings with. */
const WARNING = /^\W*(?:\[\w+\] )?warn(?:ing)?\b|⚠|\(!\)|\[WARNING\]|can't resolve|has been rewritten/i;
/** Warnings about the machine, not about what is built, and Rspack's hint that a page's JavaScript is above 300 KiB. */
const NOT_OURS = /No build cache found|PLUGIN_TIMINGS|asset size limit/;

/** Lines of a bundler's output that are warnings. */
export function warningsIn(output) {
  return output.split("\n").filter((line) => WARNING.test(line) && !NOT_OURS.test(line));
}

/**
 * @param work an empty folder
 * @param tarballs of safetensors-ts, @gpt2-ts/tensor and @gpt2-ts/gpt2
 * @param problem takes what is wrong: where, and what
 */
export function checkBundlers({ work, tarballs, all, problem }) {
  const chosen = BUNDLERS.filter(({ slow }) => all || !slow);
  mkdirSync(join(work, "src"), { recursive: true });
  mkdirSync(join(work, "app"));
  writeFileSync(join(work, "src/index.js"), PROGRAM);
  writeFileSync(
    join(work, "index.html"),
    '<!doctype html><title>x</title><script type="module" src="./src/index.js"></script>',
  );
  writeFileSync(join(work, "page.mjs"), PAGE);
  writeFileSync(
    join(work, "app/layout.js"),
    "export default ({ children }) => <html><body>{children}</body></html>;\n",
  );
  writeFileSync(
    join(work, "app/page.js"),
    `"use client";
import { GPT2 } from "@gpt2-ts/gpt2";
import { tensor } from "@gpt2-ts/tensor";
import { parse } from "safetensors-ts";
export default () => <p>{[typeof GPT2.load, tensor([1, 2]).sum().itemSync(), typeof parse].join(" ")}</p>;
`,
  );
  const manifest = Object.assign(
    { name: "bundled", private: true, type: "module" },
    ...chosen.map(({ manifest }) => manifest),
  );
  writeFileSync(join(work, "package.json"), JSON.stringify(manifest));
  const install = ["install", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  const installed = spawn(
    "npm",
    [...install, ...tarballs, ...new Set(chosen.flatMap(({ packages }) => packages))],
    work,
  );
  if (installed.status !== 0) return problem("bundlers", installed.stderr);
  for (const { name, command, runs, page } of chosen) {
    const began = Date.now();
    const [program, ...args] = command;
    const { status, stdout, stderr } = spawn("npx", ["--no-install", program, ...args], work, {
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0", NEXT_TELEMETRY_DISABLED: "1" },
    });
    const warnings = warningsIn(stdout + stderr);
    if (status !== 0) problem(name, stdout + stderr);
    else if (warnings.length > 0) problem(name, `warns:\n${warnings.join("\n")}`);
    else problemsOfResult(name, { runs, page });
    console.log(`${name}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
  }

  function problemsOfResult(name, { runs, page }) {
    if (page !== undefined) {
      const html = existsSync(join(work, page)) ? readFileSync(join(work, page), "utf8") : "";
      if (!html.includes(`<p>${PRINTS}</p>`)) problem(name, `${page} does not say "${PRINTS}"`);
      return;
    }
    const folder = dirname(runs);
    const files = existsSync(join(work, folder))
      ? readdirSync(join(work, folder)).map((file) => `${folder}/${file}`)
      : [];
    const built = files.filter((file) => file.startsWith(runs) && file.endsWith(".js"));
    const outputs = built.map((file) => spawn(process.execPath, ["--import", "./page.mjs", file], work));
    if (!outputs.some(({ stdout }) => stdout.trim() === PRINTS)) {
      problem(
        name,
        `what it built does not print "${PRINTS}": ${outputs.map(({ stdout, stderr }) => (stdout + stderr).slice(-MOST_CHARACTERS))}`,
      );
    }
  }
}
