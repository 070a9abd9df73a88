// An optional peer, so that the tests compile without it.
declare module "gpu.js";
