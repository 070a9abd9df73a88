import { styleOf, type ThemeName } from "./theme.ts";

/** A piece of SVG. Only {@link element} and {@link text} make one, so that all text in it is escaped. */
export interface Markup {
  readonly markup: string;
}

type Attributes = Readonly<Record<string, string | number | undefined>>;

export function element(name: string, attributes: Attributes, ...children: readonly (Markup | string)[]): Markup {
  const written = Object.entries(attributes).map(([key, value]) => {
    return value === undefined ? "" : ` ${key}="${escaped(typeof value === "number" ? rounded(value) : value)}"`;
  });
  const inside = children.map((child) => (typeof child === "string" ? escaped(child) : child.markup)).join("");
  return { markup: `<${name}${written.join("")}${inside === "" ? "/>" : `>${inside}</${name}>`}` };
}

/** Pixels with two digits: more cannot be seen, and make files large. */
export function rounded(value: number): string {
  return String(Math.round(value * 100) / 100 + 0); // + 0: no -0
}

function escaped(value: string): string {
  return value
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, (character) => ("\t\n\r".includes(character) ? character : "\ufffd")); // for XML
}

/** Text at a place. */
export function text(x: number, y: number, content: string | readonly Markup[], attributes: Attributes = {}): Markup {
  const { class: name = "ink", ...others } = attributes;
  const children = typeof content === "string" ? [content] : content;
  return element("text", { x, y, class: name, ...others }, ...children);
}

/** What all drawings can be told. */
export interface DrawOptions {
  /** Default: `auto`, the colours that the reader's system prefers. */
  readonly theme?: ThemeName | undefined;
  /** The line above the picture; each drawing has one of its own. */
  readonly title?: string | undefined;
  /** False: no title and explanation above the picture, and no margin, for pages that have their own. Default: true. */
  readonly heading?: boolean | undefined;
}

/** The parts of a drawing that all have. */
export interface Figure {
  readonly title: string;
  /** What is said below the title; `{T}` is a letter of model.ts, in its colour. */
  readonly explanation: string;
  readonly width: number;
  /** Of what is drawn below the heading. */
  readonly height: number;
  readonly content: readonly Markup[];
  readonly theme: ThemeName;
  readonly heading?: boolean | undefined;
}

const MARGIN = 20;
/** Without a heading: so that strokes at the edge are whole. */
const BARE_MARGIN = 2;
const TITLE = 32;
const LINE = 18;
/** No figure is narrower, so that its explanation has room. */
const NARROWEST = 480;

/** An SVG file: heading, and content moved below it. The same arguments give the same bytes. */
export function figure({ title, explanation, width, height, content, theme, heading = true }: Figure): string {
  const room = heading ? Math.max(NARROWEST, width, title.length * TITLE_LETTER) : width;
  const margin = heading ? MARGIN : BARE_MARGIN;
  const lines = heading ? wrapped(explanation, Math.floor(room / PROSE)) : [];
  const above = heading ? MARGIN + TITLE + lines.length * LINE : margin;
  const w = Math.ceil(room + 2 * margin);
  const h = Math.ceil(above + height + margin);
  const whole = element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${w} ${h}`,
      width: w,
      height: h,
      role: "img",
      class: `gpt2-figure gpt2-${theme}`,
      "font-family": SANS,
      "font-size": 13,
    },
    element("title", {}, title),
    { markup: `<style>${styleOf(theme)}</style>` },
    element("rect", { class: "paper", width: w, height: h, rx: 6 }),
    ...(heading ? [text(MARGIN, MARGIN + 12, title, { "font-size": 16, "font-weight": "bold" })] : []),
    ...lines.map((line, i) => text(MARGIN, MARGIN + 14 + (i + 1) * LINE, lettered(line), { class: "muted" })),
    element("g", { transform: `translate(${margin} ${above})` }, ...content),
  );
  return `${whole.markup}\n`;
}

/** Lines of at most so many letters, broken between words. */
function wrapped(prose: string, letters: number): string[] {
  const lines: string[] = [];
  for (const word of prose.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && longer.length <= letters) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** A line with its letters of model.ts in bold and in their colours. */
function lettered(line: string): Markup[] {
  return line.split(/(\{\w\})/).map((piece, i) => {
    if (i % 2 === 0) return element("tspan", {}, piece);
    return element("tspan", { class: `letter-${piece[1]}`, "font-weight": "bold" }, piece[1]!);
  });
}

const SANS = "-apple-system, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif";
/** Advances of letters of the widest of these fonts, at 13 pixels, and bold at 16. */
const PROSE = 7.3;
const TITLE_LETTER = 10;
