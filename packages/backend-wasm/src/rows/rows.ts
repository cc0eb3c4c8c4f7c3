/** @file The kernels over rows: softmax, cross-entropy, norms, with their gradients. What they do not take, they decline. */
import { type AcceleratedKernels, IndexError } from '@tessera/core/backend';
import { addressOf, type Fields, type KernelHost, type WasmView } from '../code/kernel-host.js';
import type { WasmBuffer } from '../memory/wasm-buffer.js';
import { partsOf } from './parts.js';
import { emitNorms, f32bits } from './norm-module.js';
import { roomOf } from './row-loop.js';
import { emitSoftmax } from './softmax-module.js';

type Kernels = Required<AcceleratedKernels<WasmBuffer>>;
type RowKernels = Pick<
  Kernels,
  'softmax' | 'softmaxGrad' | 'crossEntropy' | 'crossEntropyGrad' | 'layerNorm' | 'layerNormGrad' | 'batchNorm' | 'batchNormGrad'
>;

const areFloat32 = (...views: readonly (WasmView | null)[]): boolean => views.every((view) => view === null || view.dtype === 'float32');
const at = (view: WasmView | null): number => (view === null ? 0 : addressOf(view));
const bytes = (view: WasmView | null, dim: number): number => (view === null ? 0 : view.strides[dim] * 4);
/** Address and stride of a vector, or zeros. */
const vector = (view: WasmView | null): readonly [number, number] => [at(view), bytes(view, 0)];
/** Address and both strides of a matrix. */
const matrix = (view: WasmView | null): readonly [number, number, number] => [at(view), bytes(view, 0), bytes(view, 1)];

export function rowKernels(host: KernelHost): RowKernels {
  const { fma } = host.machine;
  const softmaxes = (name: string) => host.module(`softmax${fma ? ' fma' : ''}`, (module) => emitSoftmax(module, fma))(name);
  const norms = (name: string) => host.module('norms', emitNorms)(name);

  /** Runs an entropy kernel, and throws where a target is no class. */
  const entropy = (name: string, op: string, logits: WasmView, args: (flag: number, room: number) => Fields): void => {
    const [rows, columns] = logits.shape;
    const room = roomOf(columns);
    let bad = false;
    host.withMemory(16, (flag) => {
      host.machine.linear.i32[flag >>> 2] = 0;
      host.launch(softmaxes(name), args(flag, room), rows, 2 * room, rows * columns * 2);
      bad = host.machine.linear.i32[flag >>> 2] !== 0;
    });
    if (bad)
      throw new IndexError('ERR_INDEX_RANGE', `${op}: a target is not between 0 and ${columns - 1}`, {
        op,
        device: 'wasm',
        shapes: [logits.shape],
      });
  };

  return {
    softmax(input, out, log) {
      if (!areFloat32(input, out)) return false;
      const [rows, columns] = input.shape;
      const room = roomOf(columns);
      const args = [columns, ...matrix(input), 0, 0, 0, ...matrix(out), room, log ? 1 : 0];
      host.launch(softmaxes('softmax'), args, rows, 2 * room, rows * columns);
      return true;
    },
    softmaxGrad(gradOut, out, gradInput, log) {
      if (!areFloat32(gradOut, out, gradInput)) return false;
      const [rows, columns] = out.shape;
      const room = roomOf(columns);
      const args = [columns, ...matrix(gradOut), ...matrix(out), ...matrix(gradInput), room, log ? 1 : 0];
      host.launch(softmaxes('softmaxGrad'), args, rows, 3 * room, rows * columns);
      return true;
    },
    crossEntropy(logits, targets, losses, logsumexp, ignoreIndex) {
      if (!areFloat32(logits, losses, logsumexp) || targets.dtype !== 'int32') return false;
      entropy('crossEntropy', 'crossEntropy', logits, (flag, room) => [
        logits.shape[1],
        ...matrix(logits),
        ...vector(targets),
        ...vector(losses),
        ...vector(logsumexp),
        ...matrix(null),
        room,
        ignoreIndex,
        flag,
      ]);
      return true;
    },
    crossEntropyGrad(gradLosses, logits, targets, logsumexp, gradLogits, ignoreIndex) {
      if (!areFloat32(gradLosses, logits, logsumexp, gradLogits) || targets.dtype !== 'int32') return false;
      entropy('crossEntropyGrad', 'crossEntropy', logits, (flag, room) => [
        logits.shape[1],
        ...matrix(logits),
        ...vector(targets),
        ...vector(gradLosses),
        ...vector(logsumexp),
        ...matrix(gradLogits),
        room,
        ignoreIndex,
        flag,
      ]);
      return true;
    },
    layerNorm(input, weight, bias, out, mean, rstd, eps) {
      if (!areFloat32(input, weight, bias, out, mean, rstd)) return false;
      const [rows, columns] = input.shape;
      const room = roomOf(columns);
      const args = [columns, f32bits(1 / columns), f32bits(eps), room, ...matrix(input), ...vector(weight), ...vector(bias)];
      args.push(...matrix(out), ...vector(mean), ...vector(rstd));
      host.launch(norms('layerNorm'), args, rows, 4 * room, rows * columns);
      return true;
    },
    layerNormGrad(gradOut, input, weight, mean, rstd, gradInput, gradWeight, gradBias) {
      if (!areFloat32(gradOut, input, weight, mean, rstd, gradInput, gradWeight, gradBias)) return false;
      const [rows, columns] = input.shape;
      const room = roomOf(columns);
      const parts = partsOf(rows);
      const wanted = gradWeight !== null || gradBias !== null;
      const run = (partials: number): void => {
        const args = [rows, parts, columns, f32bits(1 / columns), room, ...matrix(gradOut), ...matrix(input), ...vector(weight)];
        args.push(...vector(mean), ...vector(rstd), ...matrix(gradInput), partials);
        host.launch(norms('layerNormGrad'), args, parts, 4 * room, rows * columns * 2);
        for (const [sums, grad] of [
          [partials, gradWeight],
          [partials + columns * 4, gradBias],
        ] as const)
          if (grad !== null) host.launch(norms('collect'), [sums, columns * 8, parts, ...vector(grad)], columns, 0, columns * parts);
      };
      if (wanted) host.withMemory(parts * columns * 8, run);
      else run(0);
      return true;
    },
    batchNorm(input, weight, bias, out, mean, variance, eps) {
      if (!areFloat32(input, weight, bias, out, mean, variance) || !takesChannels(input, out)) return false;
      const [N, C, S] = input.shape;
      const args = [N, S, f32bits(1 / (N * S)), f32bits(eps), ...channels(input), ...vector(weight), ...vector(bias)];
      args.push(...channels(out), ...vector(mean), ...vector(variance), 0, 0, 0, 0, 0, 0, 0, 0);
      host.launch(norms('batchNorm'), args, C, 0, N * C * S);
      return true;
    },
    batchNormGrad(gradOut, input, weight, mean, variance, eps, gradInput, gradWeight, gradBias) {
      if (!areFloat32(gradOut, input, weight, mean, variance, gradInput, gradWeight, gradBias)) return false;
      if (!takesChannels(gradOut, input, gradInput)) return false;
      const [N, C, S] = input.shape;
      const args = [N, S, f32bits(1 / (N * S)), f32bits(eps), ...channels(input), ...vector(weight), 0, 0];
      args.push(
        ...channels(gradInput),
        ...vector(mean),
        ...vector(variance),
        ...channels(gradOut),
        ...vector(gradWeight),
        ...vector(gradBias),
      );
      host.launch(norms('batchNormGrad'), args, C, 0, N * C * S * 2);
      return true;
    },
  };
}

/** Rows of a channel must lie side by side; short ones are better off with core's reductions. */
const takesChannels = (...views: readonly (WasmView | null)[]): boolean =>
  views.every((view) => view === null || view.shape[2] === 1 || view.strides[2] === 1);
const channels = (view: WasmView | null): readonly [number, number, number, number] => [
  at(view),
  bytes(view, 0),
  bytes(view, 1),
  bytes(view, 2),
];
