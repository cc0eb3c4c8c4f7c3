/**
 * @file Better layouts for pointwise programs: dims in another order where outputs are contiguous along one that is not the last, transposed inputs
 * copied tile by tile to where they are contiguous, and plain copies that are nothing but such a transposition.
 */
import { DTYPE_INFO, type Program, type View } from '@tessera/core/backend';
import type { Machine } from '../machine/machine.js';
import { WasmBuffer } from '../memory/wasm-buffer.js';
import { Transposer } from './transpose.js';

type WasmView = View<WasmBuffer>;
type Run = (program: Program, scalars: ArrayLike<number>, inputs: readonly WasmView[], outputs: readonly WasmView[]) => void;

/** A dim shorter than this is not worth a tile. */
const LEAST = 8;
/** Programs that read indices need their dims where they are. */
const indexed = new WeakMap<Program, boolean>();

export class Rearranger {
  readonly #transposer: Transposer;

  constructor(readonly machine: Machine) {
    this.#transposer = new Transposer(machine);
  }

  /** Runs a program over a better layout, if there is one. */
  improve(program: Program, scalars: ArrayLike<number>, inputs: readonly WasmView[], outputs: readonly WasmView[], run: Run): boolean {
    const last = outputs[0].shape.length - 1;
    let strided = false;
    for (let v = 0; v < inputs.length && !strided; v++) strided = isStrided(inputs[v], last);
    for (let v = 0; v < outputs.length && !strided; v++) strided = isStrided(outputs[v], last);
    if (!strided || readsIndices(program)) return false;
    const better = bestInner(inputs, outputs);
    if (better !== last) {
      const moved = (view: WasmView): WasmView => ({
        ...view,
        shape: moveToEnd(view.shape, better),
        strides: moveToEnd(view.strides, better),
      });
      const [ins, outs] = [inputs.map(moved), outputs.map(moved)];
      if (!this.#transposeInputs(program, scalars, ins, outs, run)) run(program, scalars, ins, outs);
      return true;
    }
    return this.#transposeInputs(program, scalars, inputs, outputs, run);
  }

  /** Copies transposed inputs to scratch first. */
  #transposeInputs(
    program: Program,
    scalars: ArrayLike<number>,
    inputs: readonly WasmView[],
    outputs: readonly WasmView[],
    run: Run,
  ): boolean {
    const last = outputs[0].shape.length - 1;
    const dims = inputs.map((view) => (isStrided(view, last) ? contiguousDim(view, last) : -1));
    if (dims.every((dim) => dim < 0)) return false;
    if (isCopy(program) && outputs[0].strides[last] === 1 && outputs[0].dtype === inputs[0].dtype) {
      this.#transpose(inputs[0], outputs[0], dims[0]);
      return true;
    }
    const { memory } = this.machine;
    const taken: [address: number, bytes: number][] = [];
    try {
      const ready = inputs.map((view, v) => {
        if (dims[v] < 0) return view;
        // Dims of stride 0 stay so: only what differs is copied.
        const shape = view.shape.map((n, d) => (view.strides[d] === 0 ? 1 : n));
        const strides = new Array<number>(shape.length).fill(0);
        let length = 1;
        for (let d = last; d >= 0; d--) {
          if (view.strides[d] === 0) continue;
          strides[d] = length;
          length *= shape[d];
        }
        const bytes = length * DTYPE_INFO[view.dtype].size;
        const address = memory.scratch(bytes);
        taken.push([address, bytes]);
        const copy: WasmView = { buffer: new WasmBuffer(view.dtype, length, address), dtype: view.dtype, shape, strides, offset: 0 };
        this.#transpose({ ...view, shape }, copy, dims[v]);
        return { ...copy, shape: view.shape };
      });
      run(program, scalars, ready, outputs);
    } finally {
      for (const [address, bytes] of taken) memory.endScratch(address, bytes);
    }
    return true;
  }

  /** Copies a view that is contiguous along `dim` to one that is so along the last dim. */
  #transpose(from: WasmView, to: WasmView, dim: number): void {
    const { size } = DTYPE_INFO[from.dtype];
    const last = from.shape.length - 1;
    const rest = from.shape.map((_, d) => d).filter((d) => d !== dim && d !== last);
    const index = rest.map(() => 0);
    for (;;) {
      let [source, target] = [from.offset, to.offset];
      rest.forEach((d, k) => {
        source += index[k] * from.strides[d];
        target += index[k] * to.strides[d];
      });
      this.#transposer.run(size, {
        source: from.buffer.address + source * size,
        target: to.buffer.address + target * size,
        sizeI: from.shape[dim],
        sizeJ: from.shape[last],
        sourceStride: from.strides[last] * size,
        targetStride: to.strides[dim] * size,
      });
      let k = rest.length - 1;
      for (; k >= 0 && ++index[k] === from.shape[rest[k]]; k--) index[k] = 0;
      if (k < 0) return;
    }
  }
}

const isStrided = ({ strides, shape }: WasmView, last: number): boolean => shape[last] > 1 && strides[last] !== 1 && strides[last] !== 0;

function readsIndices(program: Program): boolean {
  let known = indexed.get(program);
  if (known === undefined) indexed.set(program, (known = program.instructions.some(({ op }) => op === 'index')));
  return known;
}

const isCopy = ({ inputs, instructions }: Program): boolean => inputs.length === 1 && instructions.length === 0;

/** The dim along which an input that is strided along the last one is contiguous; −1 where a tile would not pay. */
function contiguousDim({ shape, strides }: WasmView, last: number): number {
  if (shape[last] < LEAST) return -1;
  for (let d = last - 1; d >= 0; d--) if (strides[d] === 1 && shape[d] >= LEAST) return d;
  return -1;
}

/** The dim along which most views are contiguous, outputs first. */
function bestInner(inputs: readonly WasmView[], outputs: readonly WasmView[]): number {
  const { shape } = outputs[0];
  const last = shape.length - 1;
  let best = last;
  let most = score(inputs, outputs, last);
  for (let d = last - 1; d >= 0; d--) {
    if (shape[d] < LEAST) continue;
    const s = score(inputs, outputs, d);
    if (s > most) {
      most = s;
      best = d;
    }
  }
  return best;
}

function score(inputs: readonly WasmView[], outputs: readonly WasmView[], d: number): number {
  let sum = 0;
  for (const { strides } of outputs) if (strides[d] === 1) sum += 3;
  for (const { strides } of inputs) if (strides[d] === 1 || strides[d] === 0) sum += 2;
  return sum + (outputs[0].shape[d] >= LEAST ? 1 : 0);
}

function moveToEnd<T>(values: readonly T[], d: number): T[] {
  return [...values.slice(0, d), ...values.slice(d + 1), values[d]];
}
