import { expect, test } from "vitest";
import { arange, type Tensor, tensor } from "../src/index.ts";
import { describeOnEveryBackend } from "./backends.ts";

describeOnEveryBackend("data(into)", (device) => {
  const views: readonly (readonly [string, (t: Tensor<[3, 4]>) => Tensor])[] = [
    ["whole", (t) => t],
    ["transposed", (t) => t.transpose()],
    ["a slice of rows", (t) => t.slice(0, 1, 3)],
    ["a slice of columns", (t) => t.slice(1, 1, 3)],
    ["broadcast", (t) => t.slice(0, 1, 2).expand([5, 4])],
  ];

  test.each(views)("writes the elements of a tensor that is %s to the array it is given", async (_, viewOf) => {
    const t = viewOf(arange(0, 12, 1, { device }).reshape([3, 4]));
    const expected = Array.from(t.dataSync());
    const into = new Float32Array(t.size).fill(-1);
    expect(await t.data(into)).toBe(into);
    expect(Array.from(into)).toEqual(expected);
    const again = new Float32Array(t.size).fill(-1);
    expect(t.dataSync(again)).toBe(again);
    expect(Array.from(again)).toEqual(expected);
  });

  test("is refused with an array of another length or element type", async () => {
    const t = tensor([1, 2, 3], { device });
    const short = new Float32Array(2);
    await expect(t.data(short)).rejects.toThrow(
      "data: expected a Float32Array of 3 to write to, got Float32Array of 2",
    );
    expect(() => t.dataSync(short)).toThrow("got Float32Array of 2");
    // @ts-expect-error: the element type is checked by the compiler too
    const integers: Float32Array<ArrayBuffer> = new Int32Array(3);
    expect(() => t.dataSync(integers)).toThrow("got Int32Array of 3");
    expect(Array.from(short)).toEqual([0, 0]);
  });
});
