/**
 * The binary that `delta` makes out of `from`: the two builds of the kernels differ in few bytes, and pages should not load both.
 * scripts/binary-delta.mjs writes it, and says what stands in it.
 */
export function applyDelta(from: Uint8Array, delta: Uint8Array): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = delta[at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  for (let behind = 0; ; ) {
    const fresh = number();
    pieces.push(delta.subarray(at, at + fresh));
    at += fresh;
    if (at === delta.length) return joined(pieces);
    const step = number();
    const start = behind + (step % 2 === 0 ? step / 2 : -(step + 1) / 2);
    behind = start + number();
    pieces.push(from.subarray(start, behind));
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
