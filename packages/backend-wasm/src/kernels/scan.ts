/** @file The scan kernel: chooses the lines to run side by side, finds (or makes) the compiled kernel, calls it. */
import { checkKernelDType, type RequiredKernels, ValueError, type View } from '@tessera/core/backend';
import type { Machine } from '../machine/machine.js';
import { ARGUMENTS } from '../memory/linear-memory.js';
import type { WasmBuffer } from '../memory/wasm-buffer.js';
import { type CompiledScan, compileScan, GROUPS, WIDE } from '../program/scan-code.js';

type WasmView = View<WasmBuffer>;

/** Makes the kernel. */
export function createScan(machine: Machine): RequiredKernels<WasmBuffer>['scan'] {
  const compiled = new Map<string, CompiledScan>();
  const { linear } = machine;
  return (kind, reverse, input, output, axis) => {
    checkKernelDType('wasm', 'scan', input.dtype);
    const { shape } = input;
    const lanes = lanesOf(input, output, axis);
    const contiguous = lanes >= 0 && input.strides[lanes] === 1 && output.strides[lanes] === 1;
    const key = `${kind} ${input.dtype} ${shape.length} ${axis} ${lanes} ${contiguous}`;
    let code = compiled.get(key);
    if (code === undefined) {
      const made = compileScan(machine, kind, input.dtype as 'float32', { rank: shape.length, axis, lanes, contiguous });
      if (made === null)
        throw new ValueError('ERR_SCAN_KIND', `scan: ${kind} of ${input.dtype} is not defined`, {
          op: 'scan',
          device: 'wasm',
          dtypes: [input.dtype],
        });
      compiled.set(key, (code = made));
    }
    const groups = lanes < 0 ? 1 : Math.ceil(shape[lanes] / (contiguous ? 4 * WIDE : 4));
    let others = 1;
    for (let d = 0; d < shape.length; d++) if (d !== axis && d !== lanes) others *= shape[d];
    const { kernel, layout } = code;
    layout.writeShape(linear, shape);
    layout.writeView(linear, 0, reverse ? reversed(input, axis) : input);
    layout.writeView(linear, 1, reverse ? reversed(output, axis) : output);
    linear.i32[ARGUMENTS / 4 + GROUPS] = groups;
    const each = shape[axis] * (contiguous ? 4 * WIDE : 4);
    machine.parallel(
      kernel,
      groups * others,
      Math.max(1, Math.floor(16384 / each)),
      groups * others * each * (kind === 'logsumexp' ? 20 : 1),
    );
  };
}

/** The dim along which lines lie closest together. */
function lanesOf({ shape, strides }: WasmView, output: WasmView, axis: number): number {
  let best = -1;
  let least = Infinity;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (d === axis || shape[d] === 1) continue;
    const distance = Math.abs(strides[d]) + Math.abs(output.strides[d]) - (shape[d] >= 4 ? 0.5 : 0);
    if (distance < least) {
      least = distance;
      best = d;
    }
  }
  return best;
}

/** The view from its far end along `axis`. */
function reversed(view: WasmView, axis: number): WasmView {
  const strides = view.strides.slice();
  strides[axis] = -strides[axis];
  return { ...view, strides, offset: view.offset + view.strides[axis] * (view.shape[axis] - 1) };
}
