// The platform's types, where the compiler knows them (lib "dom"): programs for Node can be checked against this package's
// declarations without them.

/** The instances of a class that is global in browsers. */
type Platform<Name extends string> =
  typeof globalThis extends Readonly<Record<Name, { readonly prototype: infer Instance }>>
    ? Instance
    : Readonly<Record<never, never>>;

export type WebGpuAdapter = Platform<"GPUAdapter">;
export type WebGpuDevice = Platform<"GPUDevice">;
export type WebGpuBuffer = Platform<"GPUBuffer">;
export type WebGpuError = Platform<"GPUError">;
export type WebGl2Context = Platform<"WebGL2RenderingContext">;
