import { fillAsync, type Tensor } from "@gpt2-ts/tensor";

/** The tensors that parts are of. If they break off, those that there are by then are disposed of. */
export async function tensorsOf(next: () => Promise<IteratorResult<unknown, unknown>>): Promise<Tensor[]> {
  const tensors: Tensor[] = [];
  try {
    for (let step = await next(); !step.done; step = await next()) {
      const { shape } = step.value as { readonly shape: readonly number[] };
      const write = async (target: Float32Array): Promise<void> => {
        for (let at = 0; at < target.length; ) {
          const { value } = (await next()) as { readonly value: { readonly elements: Float32Array } };
          target.set(value.elements, at);
          at += value.elements.length;
        }
      };
      tensors.push(await fillAsync(shape, write, { device: "reference" }));
    }
    return tensors;
  } catch (error) {
    for (const tensor of tensors) tensor.dispose();
    throw error;
  }
}
