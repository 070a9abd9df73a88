// What may import what: `npm run check:layers`. Arrows point down; type-only imports count as any other.

/** Each package of the repository, and those it may use. */
const packages = {
  safetensors: [],
  tensor: [],
  gpt2: ["tensor", "safetensors"],
  server: ["gpt2", "tensor", "safetensors"],
  cli: ["server", "gpt2", "tensor", "safetensors"],
  hw1: ["cli", "gpt2", "tensor", "safetensors"],
};

/** What every room of a package may use, and which rooms each room may use besides. A room is a folder or a file of src. */
const rooms = {
  tensor: {
    ground: [
      "dtype",
      "encodings",
      "errors",
      "event-loop",
      "memory",
      "options",
      "promotion",
      "shape",
      "symbol-dispose",
      "typed-array",
      "types",
    ],
    "backends/backend": [],
    observe: ["backends/backend"],
    profile: ["observe", "backends/backend"],
    "host-data": ["backends/backend"],
    "backends/dispatch": ["backends/backend", "observe"],
    "backends/reference": ["backends/backend", "backends/dispatch"],
    "backends/wasm": ["backends/backend", "backends/dispatch", "backends/reference"],
    "backends/gpu": ["backends/backend", "backends/dispatch", "backends/reference", "backends/wasm", "host-data"],
    ops: ["backends/backend", "backends/dispatch", "backends/reference", "backends/wasm/training", "observe"],
    device: ["backends/backend", "backends/reference", "backends/wasm"],
    random: ["backends/reference"],
    print: [],
  },
  gpt2: {
    ground: [
      "errors",
      "options",
      "event-loop",
      "json-nesting",
      "process-owner",
      "replace",
      "tokenizer-files",
      "warning",
      "write-whole",
      "written",
    ],
    tokenizer: [],
    model: [],
    checkpoint: ["model", "tokenizer"],
    alternatives: ["model", "tokenizer"],
    generate: ["model", "tokenizer", "alternatives"],
    score: ["model", "tokenizer", "alternatives"],
    "train/(?!folder/)[^/]+": ["model", "tokenizer"],
    look: ["model", "tokenizer", "language-model", "text-ids"],
    draw: [],
    hub: [],
    "browser-cache": ["checkpoint", "hub", "load-options", "located", "model", "tokenizer"],
    pretrained: ["browser-cache", "checkpoint", "hub", "load-options", "located"],
    "device-options": [],
    "open-device": ["device-options"],
  },
};

/** The packages that work without npm's. */
const withoutDependencies = ["safetensors", "tensor"];

const npm = ["npm", "npm-dev", "npm-optional", "npm-peer", "npm-bundled", "npm-no-pkg", "npm-unknown"];

/** Where programs begin; a file that none of these reaches is dead. */
const entries = [
  "^packages/[^/]+/src/index[.]ts$",
  "^packages/safetensors/src/transport/(index|exchange-browser)[.]ts$",
  "^packages/tensor/src/(methods|backends/gpu)/index[.]ts$",
  "^packages/gpt2/src/(node|compress/index|look/index|draw/index|pretrained/browser|browser-cache/index|train/index|worker/index|worker/gpt2-thread|checkpoint/torch/pickle/index)[.]ts$",
  "^packages/server/src/thread/model-thread[.]ts$", // started as a thread
  "^packages/hw1/src/figures/index[.]ts$",
  "^packages/cli/src/main[.]ts$",
  "^packages/cli/src/start[.]ts$",
  "^packages/hw1/src/cli/main[.]ts$",
  "^packages/hw1/src/written/render[.]ts$", // of the package's script that writes docs/hw1.md
  "^benchmarks/src/[^/]+[.]ts$",
  "^benchmarks/src/.+-child[.]ts$", // started as processes
];

const sources = "^(packages/[^/]+|benchmarks)/src/";
const room = (name, rooms) => `^packages/${name}/src/(${rooms.join("|")})([.]ts$|/)`;

/** @type {import("dependency-cruiser").IConfiguration} */
const configuration = {
  forbidden: [
    { name: "no-circle", severity: "error", from: {}, to: { circular: true } },
    {
      name: "nothing-missing",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^(gpu[.]js|webgpu)$" },
    },
    {
      name: "no-dead-file",
      severity: "error",
      from: { path: entries },
      to: { path: sources, pathNot: entries, reachable: false },
    },
    {
      name: "no-test-in-src",
      severity: "error",
      from: { path: sources },
      to: { path: "^((packages/[^/]+|benchmarks)/test|tests|examples|scripts)/" },
    },
    {
      name: "packages-point-down",
      comment: "to sources, never to what is built of them",
      severity: "error",
      from: { path: "^packages/[^/]+/src/" },
      to: { path: "^benchmarks/|/dist/", pathNot: "node_modules" },
    },
    ...Object.entries(packages).map(([name, below]) => ({
      name: `packages-point-down: ${name}`,
      severity: "error",
      from: { path: `^packages/${name}/src/` },
      to: { path: "^packages/", pathNot: `^packages/(${[name, ...below].join("|")})/` },
    })),
    ...Object.entries(rooms).flatMap(([name, { ground, ...others }]) => [
      {
        name: `rooms-point-down: ${name}/${ground.join(", ")}`,
        severity: "error",
        from: { path: room(name, ground) },
        to: { path: `^packages/${name}/src/`, pathNot: room(name, ground) },
      },
      ...Object.entries(others).map(([from, below]) => ({
        name: `rooms-point-down: ${name}/${from}`,
        severity: "error",
        from: { path: room(name, [from]) },
        to: { path: `^packages/${name}/src/`, pathNot: room(name, [from, ...below, ...ground]) },
      })),
    ]),
    {
      name: "no-npm-in-core",
      comment: "GPU.js and its adapter are optional peers of the gpu device alone",
      severity: "error",
      from: { path: `^packages/(${withoutDependencies.join("|")})/src/` },
      to: { dependencyTypes: npm, pathNot: "node_modules/(gpu[.]js|webgpu)/" },
    },
    {
      name: "hub-in-its-room",
      comment: "a page does without the Hugging Face client",
      severity: "error",
      from: { path: "^packages/", pathNot: "^packages/gpt2/src/hub/|/test/" },
      to: { path: "@huggingface/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^packages/tensor/src/backends/wasm/kernels/|/fixtures/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["gpt2-ts:source", "node", "import", "default"],
      extensions: [".ts", ".d.ts", ".js"],
    },
  },
};

module.exports = configuration;
