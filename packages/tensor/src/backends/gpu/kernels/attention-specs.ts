import type { ArgumentKind, KernelSpec } from "../kernel-spec.ts";

// Letters: T queries, H heads, D channels of a head; L queries of each sequence; P rows of the past; S keys that a query
// sees at most. How a kernel finds the keys of query t:
//
// `first`   the row of q, k and v where its sequence begins,
// `last`    the last row that it sees,
// `before`  the rows of the past that come before those.
//
// They follow from L, P and `causal`; with `tabled` 1 they are in `table` [T, 3], the first row plus one, so that 0 marks
// queries that the launch is not for. Kernels name them alike, line for line.

const ints = (count: number): ArgumentKind[] => new Array<ArgumentKind>(count).fill("int");

/**
 * q, k [T, H, D], past [P, H, D] → [H, T, S]: scale · q·k, or −3·10³⁸ for keys that a query does not see. Products are
 * summed in `steps` of `constants.op` channels, 4 or 1.
 */
export const scoresSpec: KernelSpec = {
  name: "attention scores",
  arguments: ["buffer", "buffer", "buffer", "buffer", "float", ...ints(16)],
  body(
    q: number[],
    k: number[],
    past: number[],
    table: number[],
    scale: number,
    tabled: number,
    causal: number,
    T: number,
    L: number,
    P: number,
    S: number,
    steps: number,
    qOffset: number,
    qRow: number,
    qHead: number,
    kOffset: number,
    kRow: number,
    kHead: number,
    pastOffset: number,
    pastRow: number,
    pastHead: number,
  ) {
    let row = 0; // h · T + t
    row = Math.floor(this.thread.x / S) >> 0;
    if (row * S > this.thread.x) row--;
    if (this.thread.x - row * S >= S) row++;
    let head = 0;
    head = Math.floor(row / T) >> 0;
    if (head * T > row) head--;
    if (row - head * T >= T) head++;
    let t = 0;
    t = row - head * T - 1;
    t++;
    let first = 0;
    first = Math.floor(t / L) >> 0;
    if (first * L > t) first--;
    if (t - first * L >= L) first++;
    first *= L;
    let last = 0;
    last = first + L - 2;
    if (causal === 1) last = t - 1;
    last++;
    let before = 0;
    before = P - 1;
    before++;
    if (tabled === 1) {
      first = (table[t * 3]! >> 0) - 1;
      last = table[t * 3 + 1]! >> 0;
      before = table[t * 3 + 2]! >> 0;
    }
    let key = 0; // among the past's rows, and then its sequence's
    key = this.thread.x - row * S - 1;
    key++;
    // Steps through the channels to be taken from the past, and from either. The second loop goes on where the first ended:
    // branches around loops, or more of them, take headlessgl's compiler minutes.
    let pastSteps = 0;
    let allSteps = 0;
    let kAt = 0;
    kAt = kOffset + (first + key - before) * kRow + head * kHead;
    if (first >= 0 && key <= before + last - first) allSteps = steps;
    if (key < before) {
      kAt = pastOffset + key * pastRow + head * pastHead;
      pastSteps = allSteps;
    }
    let qAt = 0;
    qAt = qOffset + t * qRow + head * qHead;
    let sum = 0;
    let i = 0;
    if (this.constants.op === 4) {
      while (i < pastSteps) {
        sum +=
          q[qAt]! * past[kAt]! +
          q[qAt + 1]! * past[kAt + 1]! +
          q[qAt + 2]! * past[kAt + 2]! +
          q[qAt + 3]! * past[kAt + 3]!;
        qAt += 4;
        kAt += 4;
        i++;
      }
      while (i < allSteps) {
        sum += q[qAt]! * k[kAt]! + q[qAt + 1]! * k[kAt + 1]! + q[qAt + 2]! * k[kAt + 2]! + q[qAt + 3]! * k[kAt + 3]!;
        qAt += 4;
        kAt += 4;
        i++;
      }
    } else {
      while (i < pastSteps) {
        sum += q[qAt]! * past[kAt]!;
        qAt++;
        kAt++;
        i++;
      }
      while (i < allSteps) {
        sum += q[qAt]! * k[kAt]!;
        qAt++;
        kAt++;
        i++;
      }
    }
    let out = -3e38;
    if (allSteps > 0) out = scale * sum;
    return out;
  },
};

const sumArguments: readonly ArgumentKind[] = ["buffer", "buffer", "buffer", "buffer", "buffer", ...ints(14)];

/**
 * scores [H, T, S], v [T, H, D], past [P, H, D] → [T, H, D]: the softmax of each query's scores times the values. Each
 * thread finds the softmax's maximum and sum anew: that costs exponentials, and saves two launches and a second array of
 * scores. Queries that the launch is not for get what `previous` [T, H, D] has.
 */
export const sumOne: KernelSpec = {
  name: "attention",
  arguments: sumArguments,
  body(
    scores: number[],
    v: number[],
    past: number[],
    table: number[],
    previous: number[],
    tabled: number,
    causal: number,
    T: number,
    H: number,
    D: number,
    L: number,
    P: number,
    S: number,
    vOffset: number,
    vRow: number,
    vHead: number,
    pastOffset: number,
    pastRow: number,
    pastHead: number,
  ) {
    let row = 0; // t · H + h
    row = Math.floor(this.thread.x / D) >> 0;
    if (row * D > this.thread.x) row--;
    if (this.thread.x - row * D >= D) row++;
    let t = 0;
    t = Math.floor(row / H) >> 0;
    if (t * H > row) t--;
    if (row - t * H >= H) t++;
    let head = 0;
    head = row - t * H - 1;
    head++;
    let first = 0;
    first = Math.floor(t / L) >> 0;
    if (first * L > t) first--;
    if (t - first * L >= L) first++;
    first *= L;
    let last = 0;
    last = first + L - 2;
    if (causal === 1) last = t - 1;
    last++;
    let before = 0;
    before = P - 1;
    before++;
    if (tabled === 1) {
      first = (table[t * 3]! >> 0) - 1;
      last = table[t * 3 + 1]! >> 0;
      before = table[t * 3 + 2]! >> 0;
    }
    let at = 0;
    if (first < 0) return previous[this.thread.x]!;
    at = (head * T + t) * S;
    let largest = scores[at]!;
    let i = 0;
    while (i < before + last - first) {
      at++;
      largest = Math.max(largest, scores[at]!);
      i++;
    }
    at = (head * T + t) * S;
    let valueAt = 0;
    valueAt = vOffset + first * vRow + head * vHead + this.thread.x - row * D - 1;
    valueAt++;
    let pastAt = 0;
    pastAt = pastOffset + head * pastHead + this.thread.x - row * D - 1;
    pastAt++;
    let total = 0;
    let sum = 0;
    let j = 0;
    while (j < before) {
      const e = Math.exp(Math.max(scores[at]! - largest, -110));
      total += e;
      sum += e * past[pastAt]!;
      at++;
      pastAt += pastRow;
      j++;
    }
    while (j <= before + last - first) {
      const e = Math.exp(Math.max(scores[at]! - largest, -110));
      total += e;
      sum += e * v[valueAt]!;
      at++;
      valueAt += vRow;
      j++;
    }
    return sum / total;
  },
};

/** As {@link sumOne}, for four neighbouring channels at once; D must be a multiple of 4. */
export const sumFour: KernelSpec = {
  name: "attention, four channels",
  arguments: sumArguments,
  components: 4,
  body(
    scores: number[],
    v: number[],
    past: number[],
    table: number[],
    previous: number[],
    tabled: number,
    causal: number,
    T: number,
    H: number,
    D: number,
    L: number,
    P: number,
    S: number,
    vOffset: number,
    vRow: number,
    vHead: number,
    pastOffset: number,
    pastRow: number,
    pastHead: number,
  ) {
    let row = 0; // t · H + h
    row = Math.floor((4 * this.thread.x) / D) >> 0;
    if (row * D > 4 * this.thread.x) row--;
    if (4 * this.thread.x - row * D >= D) row++;
    let t = 0;
    t = Math.floor(row / H) >> 0;
    if (t * H > row) t--;
    if (row - t * H >= H) t++;
    let head = 0;
    head = row - t * H - 1;
    head++;
    let first = 0;
    first = Math.floor(t / L) >> 0;
    if (first * L > t) first--;
    if (t - first * L >= L) first++;
    first *= L;
    let last = 0;
    last = first + L - 2;
    if (causal === 1) last = t - 1;
    last++;
    let before = 0;
    before = P - 1;
    before++;
    if (tabled === 1) {
      first = (table[t * 3]! >> 0) - 1;
      last = table[t * 3 + 1]! >> 0;
      before = table[t * 3 + 2]! >> 0;
    }
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let total = 1;
    if (first < 0) {
      s0 = previous[4 * this.thread.x]!;
      s1 = previous[4 * this.thread.x + 1]!;
      s2 = previous[4 * this.thread.x + 2]!;
      s3 = previous[4 * this.thread.x + 3]!;
    } else {
      let at = 0;
      at = (head * T + t) * S;
      let largest = scores[at]!;
      let i = 0;
      while (i < before + last - first) {
        at++;
        largest = Math.max(largest, scores[at]!);
        i++;
      }
      at = (head * T + t) * S;
      let valueAt = 0;
      valueAt = vOffset + first * vRow + head * vHead + 4 * this.thread.x - row * D - 1;
      valueAt++;
      let pastAt = 0;
      pastAt = pastOffset + head * pastHead + 4 * this.thread.x - row * D - 1;
      pastAt++;
      total = 0;
      let j = 0;
      while (j < before) {
        const e = Math.exp(Math.max(scores[at]! - largest, -110));
        total += e;
        s0 += e * past[pastAt]!;
        s1 += e * past[pastAt + 1]!;
        s2 += e * past[pastAt + 2]!;
        s3 += e * past[pastAt + 3]!;
        at++;
        pastAt += pastRow;
        j++;
      }
      while (j <= before + last - first) {
        const e = Math.exp(Math.max(scores[at]! - largest, -110));
        total += e;
        s0 += e * v[valueAt]!;
        s1 += e * v[valueAt + 1]!;
        s2 += e * v[valueAt + 2]!;
        s3 += e * v[valueAt + 3]!;
        at++;
        valueAt += vRow;
        j++;
      }
    }
    return [s0 / total, s1 / total, s2 / total, s3 / total];
  },
};
