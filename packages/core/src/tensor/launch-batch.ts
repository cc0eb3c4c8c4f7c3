/**
 * @file Pointwise launches that wait for more of their kind, and become one kernel where a device can: what an optimizer's step does to one parameter
 * after the other, and the pieces that `cat` puts side by side. Until they are launched nothing may read what they write, or free what they touch.
 */
import type { View } from '../backend/contract.js';
import type { Program } from '../backend/program.js';
import type { Device } from '../plugin/device.js';

/** A view that may be kept until the launch. */
class KeptView implements View {
  constructor(
    readonly buffer: View['buffer'],
    readonly dtype: View['dtype'],
    readonly shape: readonly number[],
    readonly strides: readonly number[],
    readonly offset: number,
  ) {}
}

const kept = (views: readonly View[]): View[] =>
  views.map(({ buffer, dtype, shape, strides, offset }) => new KeptView(buffer, dtype, shape.slice(), strides.slice(), offset));

/** Launches of one program on one device; of another begin a new kernel. Only for devices with `pointwiseEach`. */
export class LaunchBatch {
  #device: Device | null = null;
  #program: Program | null = null;
  #scalars: number[][] = [];
  #inputs: View[][] = [];
  #outputs: View[][] = [];
  /** Buffers that waiting launches touch, and those that they write. */
  readonly #touched = new Set<View['buffer']>();
  readonly #written = new Set<View['buffer']>();

  /**
   * Takes over a launch, with copies of all that it was given. `apart`: it is known that what waits writes nothing that this one touches, and reads
   * nothing that this one writes. Else that is looked at, by buffers: parameters may share memory, and a gradient be a parameter.
   */
  add(
    device: Device,
    program: Program,
    scalars: ArrayLike<number>,
    inputs: readonly View[],
    outputs: readonly View[],
    apart = false,
  ): void {
    if (device !== this.#device || program !== this.#program) this.flush();
    if (!apart) this.#separate(inputs, outputs);
    this.#device = device;
    this.#program = program;
    this.#scalars.push(Array.from({ length: program.scalars.length }, (_, i) => scalars[i]!));
    this.#inputs.push(kept(inputs));
    this.#outputs.push(kept(outputs));
  }

  #separate(inputs: readonly View[], outputs: readonly View[]): void {
    if (inputs.some((x) => this.#written.has(x.buffer)) || outputs.some((x) => this.#touched.has(x.buffer))) this.flush();
    for (const { buffer } of inputs) this.#touched.add(buffer);
    for (const { buffer } of outputs) {
      this.#touched.add(buffer);
      this.#written.add(buffer);
    }
  }

  flush(): void {
    this.#touched.clear();
    this.#written.clear();
    const [device, program, scalars, inputs, outputs] = [this.#device, this.#program, this.#scalars, this.#inputs, this.#outputs];
    if (scalars.length === 0) return;
    this.#scalars = [];
    this.#inputs = [];
    this.#outputs = [];
    const { kernels } = device!;
    if (scalars.length > 1 && kernels.pointwiseEach!(program!, scalars, inputs, outputs)) return;
    for (let i = 0; i < scalars.length; i++) kernels.pointwise(program!, scalars[i]!, inputs[i]!, outputs[i]!);
  }
}

/** The batch that is open, if any. @internal */
export const updates: { batch: LaunchBatch | null } = { batch: null };

/**
 * Runs `fn`, whose updates of different tensors may be launched together at its end. It may do nothing else with them in between.
 * @example launchTogether(() => parameters.forEach((p) => sgd.run([p, p.grad], [lr])));
 */
export function launchTogether(fn: () => void): void {
  if (updates.batch !== null) {
    fn();
    return;
  }
  const batch = (updates.batch = new LaunchBatch());
  try {
    fn();
  } finally {
    updates.batch = null;
    batch.flush();
  }
}
