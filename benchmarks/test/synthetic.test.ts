import { describe, expect, test } from "vitest";
import { ChecksumError, readManifest, verifiedTensors, weightBytes } from "../src/checkpoint.ts";
import { ErrorMeter, readReference } from "../src/reference-values.ts";
import { fnv1a, lowbias32, syntheticConfig, syntheticPrompt } from "../src/synthetic.ts";

describe("the synthetic checkpoints", () => {
  test("synthetic-tiny meets every SHA-256 that synthetic.py wrote", async () => {
    const manifest = await readManifest("synthetic-tiny");
    const tensors = verifiedTensors("synthetic-tiny", manifest);
    expect([...tensors.keys()]).toEqual(Object.keys(manifest.tensors));
    expect(syntheticConfig("synthetic-tiny")).toEqual(manifest.config);
    expect(weightBytes(manifest)).toBe(120_640 * 4);
  });

  test("a manifest that differs in one hash, one shape or one tensor is refused by the tensor's name", async () => {
    const manifest = await readManifest("synthetic-tiny");
    const bias = manifest.tensors["ln_f.bias"] ?? expect.fail("the manifest lists ln_f.bias");
    const altered = (tensor: object) => ({ ...manifest, tensors: { ...manifest.tensors, ...tensor } });
    const refusals = [
      altered({ "ln_f.bias": { ...bias, sha256: bias.sha256.replace(/^./, (c) => (c === "0" ? "1" : "0")) } }),
      altered({ "ln_f.bias": { ...bias, shape: [65] } }),
      altered({ "ln_f.extra": bias }),
    ];
    for (const refused of refusals) {
      expect(() => verifiedTensors("synthetic-tiny", refused)).toThrow(ChecksumError);
      expect(() => verifiedTensors("synthetic-tiny", refused)).toThrow(/ln_f\./);
    }
  });

  test("the prompts of the reference files are the documented formula", async () => {
    for (const name of ["synthetic-tiny", "synthetic-124m"] as const) {
      const prompts = await readReference(name);
      expect(prompts.length).toBeGreaterThan(3);
      for (const { ids } of prompts) expect(ids).toEqual(syntheticPrompt(name, ids.length));
    }
  });

  test("the two hashes agree with published and independently computed values", () => {
    expect(fnv1a("")).toBe(0x811c9dc5);
    expect(fnv1a("foobar")).toBe(0xbf9cf968); // the FNV authors' test vector
    expect([0, 1, 2, 0xffffffff].map(lowbias32)).toEqual(LOWBIAS32);
  });
});

/** From NumPy: synthetic.lowbias32(np.array([0, 1, 2, 2**32 - 1])). */
const LOWBIAS32 = [0, 1753845952, 3507691905, 1734902346];

describe("the error meter", () => {
  test("reports the largest and the root mean square difference", () => {
    const { max, rms } = new ErrorMeter().add([1, 2], [1, 5]).add([0, 4], [0, 0]).summary();
    expect(max).toBe(4);
    expect(rms).toBe(2.5);
  });

  test("never calls a NaN small", () => {
    const { max, rms } = new ErrorMeter().add([Number.NaN, 0], [0, 0]).summary();
    expect([max, rms]).toEqual([Number.NaN, Number.NaN]);
  });
});
