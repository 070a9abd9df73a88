import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BASE } from "../base.mjs";
import { documents, PAGES, ROOT } from "../pages.mjs";

const titleOf = (path) => /^# (.+)$/m.exec(readFileSync(join(ROOT, path), "utf8"))?.[1].replaceAll("`", "") ?? path;
const link = (path) => `/${path.replace(/README\.md$/, "").replace(/\.md$/, "")}`;
const items = (paths) => paths.map((path) => ({ text: titleOf(path), link: link(path) }));
const all = documents();
const matching = (pattern) => all.filter((path) => pattern.test(path));
const docs = (...names) => names.map((name) => `docs/${name}.md`);

const lessons = [...matching(/^docs\/lessons\/index/), ...matching(/^docs\/lessons\/\d/)];
const learn = docs("playground", "reading", "compression", "hw1");
const use = docs(
  "serving",
  "scaling",
  "browser",
  "responsive",
  "quantization",
  "gpu",
  "tensor",
  "dtypes",
  "gradients",
  "observe",
  "errors",
);
const know = docs("features", "benchmarks", "reliability");
const project = [...matching(/^(CONTRIBUTING|CHANGELOG|SECURITY)/), ...docs("releasing")];
const listed = new Set([...learn, ...use, ...know, ...project, ...lessons]);
const others = matching(/^docs\//).filter((path) => !listed.has(path));
const group = (text, paths) =>
  paths.length === 0 ? [] : [{ text, items: items(paths.filter((path) => all.includes(path))) }];

/** The page that site/hw1.mjs makes. */
const REPORT = { text: "Problem set 1: the programming part", link: "/hw1/" };

/** The anchors that GitHub makes of headings: the documents' links are written for them. */
const slugify = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

export default {
  title: "gpt2-ts",
  description: "GPT-2 in pure TypeScript, from the tensor up",
  lang: "en",
  base: BASE,
  srcDir: PAGES,
  outDir: "dist",
  cacheDir: ".cache",
  lastUpdated: false,
  ignoreDeadLinks: [/playground\/index/], // built beside these pages; tests/site follows all links
  markdown: {
    anchor: { slugify },
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    config({ renderer: { rules } }) {
      const { code_block: render } = rules; // indented code: it may scroll, and the keyboard has to get there
      rules.code_block = (...block) => render(...block).replace("<pre", '<pre tabindex="0"');
    },
    languageAlias: { "ts:line-numbers": "ts" },
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    socialLinks: [],
    nav: [
      { text: "Reading GPT-2", link: "/docs/reading" },
      ...(lessons.length > 0 ? [{ text: "Lessons", link: link(lessons[0]) }] : []),
      { text: "Playground", link: "/playground/index.html", target: "_self" },
      { text: "Problem set", link: REPORT.link },
      { text: "API", link: "/api/index.html", target: "_self" },
    ],
    sidebar: [
      { text: "What it is", link: "/" },
      ...group("Lessons", lessons),
      ...group("Learn", learn).map((of) => ({ ...of, items: [...of.items, REPORT] })),
      ...group("Use", use),
      ...group("What holds", know),
      ...group("More", others),
      ...group("Packages", matching(/^(packages|weights|examples)\//)),
      ...group("The project", project),
    ],
  },
};
