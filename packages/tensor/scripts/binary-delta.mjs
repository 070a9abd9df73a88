/** Shorter matches cost about as many bytes as they save. */
const SHORTEST = 6;

/**
 * What makes one binary out of another: steps of three numbers, each in seven bits a byte, the lowest first. How many bytes
 * follow that are new, and they; where the next piece of `from` begins, counted from the end of the piece before (twice that,
 * or twice as much below zero and one less); and how long it is. Bytes that are new end the delta. src/backends/wasm/delta.ts
 * reads it.
 */
export function deltaOf(from, to) {
  const places = new Map();
  for (let i = 0; i + SHORTEST <= from.length; i++) {
    const key = keyAt(from, i);
    const list = places.get(key);
    if (list) list.push(i);
    else places.set(key, [i]);
  }
  const delta = [];
  let fresh = [];
  let behind = 0; // the last piece of `from`
  for (let at = 0; at < to.length; ) {
    const expected = behind + fresh.length; // where `from` goes on if bytes were replaced by as many
    let [start, length] = [expected, matching(from, expected, to, at)];
    if (length < SHORTEST / 2) length = 0;
    for (const place of places.get(keyAt(to, at)) ?? []) {
      const found = matching(from, place, to, at);
      if (found > length + 2) [start, length] = [place, found]; // another place takes two bytes more to name
    }
    if (length === 0) {
      fresh.push(to[at++]);
      continue;
    }
    const step = start - behind;
    delta.push(...varint(fresh.length), ...fresh, ...varint(step < 0 ? -2 * step - 1 : 2 * step), ...varint(length));
    at += length;
    behind = start + length;
    fresh = [];
  }
  return Buffer.from([...delta, ...varint(fresh.length), ...fresh]);
}

function keyAt(bytes, at) {
  return bytes.toString("latin1", at, at + SHORTEST);
}

/** How many bytes are the same from these places on. */
function matching(a, i, b, j) {
  let count = 0;
  while (i + count < a.length && j + count < b.length && a[i + count] === b[j + count]) count++;
  return count;
}

function varint(number) {
  const bytes = [];
  for (let rest = number; ; rest >>>= 7) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest & 127) | 128);
  }
}
