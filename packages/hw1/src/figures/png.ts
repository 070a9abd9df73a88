import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { initWasm, Resvg } from "@resvg/resvg-wasm";

/** Pixels of a PNG file for one of the SVG. */
const ZOOM = 2;

const require = createRequire(import.meta.url);
let fonts: Promise<Uint8Array[]> | undefined;

/**
 * Draws an SVG as PNG, with the fonts of `dejavu-fonts-ttf`: the same SVG gives the same bytes on every machine. Letters
 * that these fonts lack, such as Chinese ones, are boxes.
 *
 * @throws Error if the SVG is not well-formed XML
 */
export async function toPng(svg: string): Promise<Uint8Array> {
  fonts ??= prepare();
  const image = new Resvg(svg, {
    fitTo: { mode: "zoom", value: ZOOM },
    font: {
      fontBuffers: await fonts,
      defaultFontFamily: "DejaVu Sans",
      sansSerifFamily: "DejaVu Sans",
      monospaceFamily: "DejaVu Sans Mono",
    },
  });
  try {
    const rendered = image.render();
    try {
      return rendered.asPng();
    } finally {
      rendered.free();
    }
  } finally {
    image.free();
  }
}

async function prepare(): Promise<Uint8Array[]> {
  await initWasm(readFile(require.resolve("@resvg/resvg-wasm/index_bg.wasm")));
  const names = ["DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono"];
  return Promise.all(names.map((name) => readFile(require.resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`))));
}
