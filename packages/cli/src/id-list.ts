const EXPECTED = "standard input: expected a JSON array of token ids";
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** The most characters of a number that are kept: no id has as many. */
const LONGEST_NUMBER = 100;

/** Reads a JSON array of integers that comes in pieces, however they are cut. */
export class IdListReader {
  #expects: "[" | "item or ]" | "item" | ", or ]" | "end" = "[";
  /** The characters of the number that is being read. */
  #number = "";
  #count = 0;

  /** The integers that are complete with this piece. Throws an Error for what is no such array. */
  push(piece: string): number[] {
    const ids: number[] = [];
    for (const character of piece) {
      if (/[-+.\dA-Za-z]/.test(character) && this.#number.length < LONGEST_NUMBER) this.#number += character;
      else {
        if (this.#number !== "") ids.push(this.#id());
        if (!/[ \t\r\n]/.test(character)) this.#punctuation(character);
      }
    }
    return ids;
  }

  /** Throws an Error if the array has not ended. */
  end(): void {
    if (this.#expects !== "end" || this.#number !== "") throw new Error(`${EXPECTED}; it ends before the array does`);
  }

  #id(): number {
    const id = NUMBER.test(this.#number) ? Number(this.#number) : Number.NaN;
    this.#number = "";
    if (this.#expects !== "item" && this.#expects !== "item or ]") throw new Error(EXPECTED);
    if (!Number.isSafeInteger(id)) throw new Error(`standard input: item ${this.#count} is not a token id`);
    this.#expects = ", or ]";
    this.#count++;
    return id;
  }

  #punctuation(character: string): void {
    const place = `${character} ${this.#expects}`;
    if (place === "[ [") this.#expects = "item or ]";
    else if (place === ", , or ]") this.#expects = "item";
    else if (place === "] , or ]" || place === "] item or ]") this.#expects = "end";
    else if (this.#expects === "item" || this.#expects === "item or ]") {
      throw new Error(`standard input: item ${this.#count} is not a token id`);
    } else throw new Error(EXPECTED);
  }
}
