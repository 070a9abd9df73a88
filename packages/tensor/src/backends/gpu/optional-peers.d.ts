// The optional peer, which need not be installed for this package to compile; gpu-js.ts says what is used of it.
declare module "gpu.js";
