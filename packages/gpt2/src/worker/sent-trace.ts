import type { Trace, TracedValue } from "../look/trace.ts";

/** A trace without its numbers. */
interface SentTrace extends Omit<Trace, "values"> {
  readonly values: readonly Omit<TracedValue, "data">[];
}

/** Some of a trace's numbers. */
interface TracePart {
  readonly elements: Float32Array<ArrayBuffer>;
}

/** Elements of a piece: 4 MiB, which are copied in about a millisecond. */
const PIECE = 2 ** 20;

/** A trace as it is sent: first its numbers in pieces, then all else. */
export async function* traceParts({ values, ...rest }: Trace): AsyncGenerator<TracePart, SentTrace> {
  for (const { data } of values) {
    for (let start = 0; start < data.length; start += PIECE) {
      yield { elements: data.slice(start, start + PIECE) as Float32Array<ArrayBuffer> };
    }
  }
  return { ...rest, values: values.map(({ data: _, ...place }) => place) };
}

/** The trace that parts are of. */
export async function traceOf(next: () => Promise<IteratorResult<unknown, unknown>>): Promise<Trace> {
  const parts: Float32Array[] = [];
  let step = await next();
  for (; !step.done; step = await next()) parts.push((step.value as TracePart).elements);
  const { values, ...rest } = step.value as SentTrace;
  const pieces = parts.values();
  return {
    ...rest,
    values: values.map((value) => {
      const data = new Float32Array(value.shape.reduce((size, length) => size * length, 1));
      for (let at = 0; at < data.length; ) {
        const piece = pieces.next().value!;
        data.set(piece, at);
        at += piece.length;
      }
      return { ...value, data };
    }),
  };
}
