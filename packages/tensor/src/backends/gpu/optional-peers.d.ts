// The optional peer, so that this package compiles without it; gpu-js.ts declares what is used.
declare module "gpu.js";
