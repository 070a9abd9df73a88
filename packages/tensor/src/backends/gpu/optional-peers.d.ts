// The optional peers, which need not be installed for this package to compile; gpu-js.ts says what is used of them.
declare module "gl";
declare module "gpu.js";
declare module "webgpu";
declare module "gl";
