/** How a value is written in the address, and read; undefined for what cannot be read. */
export interface Codec<T> {
  readonly read: (written: string) => T | undefined;
  readonly write: (value: T) => string;
}

export const string: Codec<string> = { read: (written) => written, write: (value) => value };

/** A number in `least`..`most`. */
export function number(least: number, most: number): Codec<number> {
  return {
    read: (written) => {
      const value = Number(written);
      return written.trim() !== "" && value >= least && value <= most ? value : undefined;
    },
    write: String,
  };
}

export function integer(least: number, most: number = Number.MAX_SAFE_INTEGER): Codec<number> {
  const { read } = number(least, most);
  return {
    read: (written) => {
      const value = read(written);
      return Number.isSafeInteger(value) ? value : undefined;
    },
    write: String,
  };
}

/** A value that may be undefined, and then is not written. */
export function optional<T>({ read, write }: Codec<T>): Codec<T | undefined> {
  return { read, write: (value) => (value === undefined ? "" : write(value)) };
}

export function oneOf<T extends string>(choices: readonly T[]): Codec<T> {
  return { read: (written) => choices.find((choice) => choice === written), write: (value) => value };
}

/** Values in a row, such as `h.0.attn.head.1,h.2.mlp.cProj`. */
export function list<T>({ read, write }: Codec<T>, separator = ","): Codec<readonly T[]> {
  return {
    read: (written) => {
      const values = written === "" ? [] : written.split(separator).map(read);
      return values.includes(undefined) ? undefined : (values as T[]);
    },
    write: (values) => values.map(write).join(separator),
  };
}
