import * as Plot from "@observablehq/plot";
import { DOMParser } from "linkedom";
import type { Theme } from "./theme.ts";

/** Verdana has the same letter widths as DejaVu Sans, which PNG files are drawn with. */
export const SANS = "DejaVu Sans, Verdana, sans-serif";
export const MONO = "DejaVu Sans Mono, Menlo, Consolas, monospace";

/** Left edge of titles and legends, in pixels. */
export const LEFT = 20;
const TITLE_SIZE = 18;
const LINE_SIZE = 13;
const LINE_HEIGHT = 22;
const TITLE_BASELINE = 32;
/** Width of a letter of DejaVu Sans as a share of its size, in a line of prose; rounded up. */
const LETTER_WIDTH = 0.57;
const BOLD_LETTER_WIDTH = 0.66;

/** The heading of a plot: a title and lines under it, each with a mark in its colour if it has one. */
export interface Heading {
  readonly title: string;
  readonly lines: readonly { readonly text: string; readonly colour?: string; readonly mark?: "box" | "dot" }[];
}

/** @returns pixels that a heading takes, from the top */
export function headingHeight({ lines }: Heading): number {
  return TITLE_BASELINE + lines.length * LINE_HEIGHT;
}

/** Draws a plot under its heading. The same arguments give the same bytes. */
export function drawPlot(theme: Theme, heading: Heading, options: Plot.PlotOptions): string {
  const document = new DOMParser().parseFromString("<svg/>", "image/svg+xml") as unknown as Document;
  const svg = Plot.plot({ ...options, document }) as SVGSVGElement;
  // Plot's style sheet is for pages. Here attributes say everything, because every SVG renderer knows them.
  for (const style of svg.querySelectorAll("style")) style.remove();
  const { width, height } = { width: Number(svg.getAttribute("width")), height: Number(svg.getAttribute("height")) };
  setAttributes(svg, {
    xmlns: "http://www.w3.org/2000/svg",
    role: "img",
    color: theme.ink,
    "font-family": SANS,
    "font-size": LINE_SIZE,
  });
  svg.removeAttribute("class");

  const background = element(document, "rect", { width, height, fill: theme.background });
  const title = element(document, "title", {});
  title.textContent = visible([heading.title, ...heading.lines.map(({ text }) => text)].join(". "));
  svg.prepend(title, background, ...drawHeading(document, theme, heading, width));
  return `${svg.outerHTML}\n`;
}

function drawHeading(document: Document, theme: Theme, { title, lines }: Heading, width: number): Element[] {
  const drawn = [
    line(document, title, width, { x: LEFT, y: TITLE_BASELINE, "font-size": TITLE_SIZE, "font-weight": "bold" }),
  ];
  for (const [i, { text, colour, mark }] of lines.entries()) {
    const y = TITLE_BASELINE + (i + 1) * LINE_HEIGHT;
    if (mark === "box") {
      const box = { x: LEFT, y: y - 10, width: 12, height: 12, rx: 2, fill: colour ?? theme.ink };
      drawn.push(element(document, "rect", box));
    }
    if (mark === "dot")
      drawn.push(element(document, "circle", { cx: LEFT + 6, cy: y - 4, r: 6, fill: colour ?? theme.ink }));
    const x = mark ? LEFT + 20 : LEFT;
    drawn.push(line(document, text, width, { x, y, fill: mark ? theme.ink : theme.muted, "font-size": LINE_SIZE }));
  }
  return drawn;
}

/** A line of text, cut off where it would leave the figure. */
function line(
  document: Document,
  text: string,
  width: number,
  attributes: Record<string, string | number> & { readonly x: number; readonly "font-size": number },
): Element {
  const letterWidth = attributes["font-weight"] === "bold" ? BOLD_LETTER_WIDTH : LETTER_WIDTH;
  const room = Math.floor((width - attributes.x - LEFT / 2) / (attributes["font-size"] * letterWidth));
  const result = element(document, "text", { "text-anchor": "start", ...attributes });
  result.textContent = shortened(visible(text), room);
  return result;
}

function element(document: Document, name: string, attributes: Record<string, string | number>): Element {
  const result = document.createElementNS("http://www.w3.org/2000/svg", name);
  setAttributes(result, attributes);
  return result;
}

function setAttributes(target: Element, attributes: Record<string, string | number>): void {
  for (const [name, value] of Object.entries(attributes)) target.setAttribute(name, String(value));
}

/** The first `room` characters of a text; if there are more, the last of them is "…". */
export function shortened(text: string, room: number): string {
  const letters = [...text];
  return letters.length <= room ? text : `${letters.slice(0, Math.max(0, room - 1)).join("")}…`;
}

/**
 * A text as it can be shown, and as XML can hold it: ↵ for a line feed, ⇥ for a tab, `\x07` for other control characters,
 * and U+FFFD for what is no character at all.
 */
export function visible(text: string): string {
  return text
    .replaceAll("\n", "↵")
    .replaceAll("\t", "⇥")
    .replaceAll(/\p{Cc}/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`)
    .replaceAll(/\p{Cs}|[\ufffe\uffff]/gu, "\ufffd");
}

/** Replaces the hyphen by a minus sign in displayed numbers. */
export function withMinus(value: number, digits = 0): string {
  return value.toFixed(digits).replace(/^-/, "−");
}

/** The name of the vertical axis, above it. Plot's own would stand above the heading. */
export function verticalLabel(text: string, marginLeft: number): Plot.Markish {
  return Plot.text([text], {
    text: Plot.identity,
    frameAnchor: "top-left",
    textAnchor: "start",
    dx: LEFT - marginLeft,
    dy: -24,
  });
}
