import { type DeviceBuffer, RecordedBuffer } from "./device-buffer.ts";
import type { KernelShortcut, PipelineBinding, PipelinePlan } from "./gpu-js.ts";
import type { KernelSpec } from "./kernel-spec.ts";
import type { Launcher, Recorder, Threads } from "./launcher.ts";

/** How a recorded kernel is called: what GPU.js cannot be told by its settings. */
interface Program {
  readonly shortcut: KernelShortcut;
  /** Threads along the axes. */
  readonly threads: readonly number[];
  readonly components: number;
}

/**
 * Turns kernel calls into steps of a GPU.js pipeline. GPU.js compiles one program per kernel and size of its output (it
 * takes the size from the kernel when the recording is over, not from each call), so here a kernel with another size is
 * another kernel.
 */
export class PipelineRecorder implements Recorder {
  readonly maxComponents: 1 | 4;
  readonly #launcher: Launcher;
  readonly #programs = new Map<string, Program>();
  /** The programs of GPU.js's copies of their kernels, too. */
  readonly #programOf = new WeakMap<KernelShortcut, Program>();
  readonly #bodies = new Map<KernelSpec["body"], number>();
  /** Buffers from outside that steps read, by the number that stands for each in the plan. */
  readonly #captured: DeviceBuffer[] = [];
  /** In which steps and places they are read. */
  readonly #uses: { readonly step: number; readonly argument: number; readonly captured: number }[] = [];
  #steps = 0;

  constructor(launcher: Launcher) {
    this.#launcher = launcher;
    // webasm sizes a step's memory by its threads; webgpu can be told both, see `prepareClone`
    this.maxComponents = launcher.runtime.mode === "webgpu" ? 4 : 1;
  }

  get captured(): readonly DeviceBuffer[] {
    return this.#captured;
  }

  launch(spec: KernelSpec, threads: Threads, args: readonly (DeviceBuffer | number)[]): DeviceBuffer {
    const { shortcut, threads: axes, components } = this.#program(spec, threads);
    const step = this.#steps++;
    const values = args.map((arg, argument) => {
      if (typeof arg === "number") return arg;
      if (arg instanceof RecordedBuffer) return arg.handle;
      this.#uses.push({ step, argument, captured: this.#capture(arg) });
      return 0; // replaced in the plan
    });
    return new RecordedBuffer(
      axes.reduce((product, size) => product * size, components),
      shortcut(...values),
    );
  }

  /** Puts into the plan, for each captured buffer, what `bind` makes of it. */
  bindCaptured(plan: PipelinePlan, bind: (buffer: DeviceBuffer, index: number) => PipelineBinding): void {
    const bindings = this.#captured.map(bind);
    for (const { step, argument, captured } of this.#uses) {
      plan.steps[step]!.argBindings[argument] = bindings[captured]!;
    }
  }

  /**
   * webgpu: makes GPU.js take a kernel that returns several numbers per thread for one that returns one to each of as
   * many threads, but run it on the true number. It would not let another step read such a result otherwise.
   */
  prepareClone(source: KernelShortcut, clone: KernelShortcut): void {
    const program = this.#programOf.get(source)!;
    this.#programOf.set(clone, program);
    if (program.components === 1) return;
    const { kernel } = clone;
    const build = kernel.build.bind(kernel);
    kernel.build = (...args) => {
      const building = build(...args);
      kernel.threadDim = [...program.threads, 1, 1].slice(0, 3);
      kernel.componentCount = 1;
      return building;
    };
  }

  /** Lets go of the captured buffers and the kernels. */
  dispose(): void {
    for (const buffer of this.#captured) this.#launcher.free(buffer);
    for (const { shortcut } of this.#programs.values()) shortcut.destroy();
    this.#captured.length = 0;
    this.#programs.clear();
  }

  #capture(buffer: DeviceBuffer): number {
    const known = this.#captured.indexOf(buffer);
    if (known >= 0) return known;
    buffer.owners++;
    return this.#captured.push(buffer) - 1;
  }

  #program(spec: KernelSpec, threads: Threads): Program {
    const { body, components = 1, constants = {} } = spec;
    const axes = typeof threads === "number" ? [threads] : threads;
    if (!this.#bodies.has(body)) this.#bodies.set(body, this.#bodies.size);
    const key = `${this.#bodies.get(body)} ${JSON.stringify(constants)} ${axes}`;
    let program = this.#programs.get(key);
    if (!program) {
      const types = spec.arguments.map((kind) => ({ buffer: "Input", int: "Integer", float: "Float" })[kind]);
      const output = [axes[0]! * components, ...axes.slice(1)];
      program = { shortcut: this.#launcher.programs.create(spec, output, types), threads: axes, components };
      this.#programs.set(key, program);
      this.#programOf.set(program.shortcut, program);
    }
    return program;
  }
}
