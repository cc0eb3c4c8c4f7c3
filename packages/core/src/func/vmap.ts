/** @file vmap: a function of one sample over a batch. PyTorch: torch.func.vmap. */
import { ShapeError, ValueError } from '../errors.js';
import { stack } from '../ops/cat.js';
import { runtimes } from '../plugin/runtime.js';
import { normalizeDim } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import type { Fn } from './transforms.js';
import { filledTree, leavesOf, mapTree, type Tree } from './tree.js';
import { checkOptions, type OptionNames } from '../options.js';

const VMAP_OPTIONS: OptionNames<VmapOptions> = { inDims: true, outDims: true, randomness: true };

/** The batch's dim in each tensor: one for all, or arrays and objects of the arguments' forms; null for what all samples share. */
export type BatchDims = number | null | readonly BatchDims[] | { readonly [key: string]: BatchDims };

export interface VmapOptions {
  /** Default 0. @example { inDims: [null, 0] } */
  readonly inDims?: BatchDims;
  /** Where the batch goes in each output. Default 0. */
  readonly outDims?: number | readonly number[];
  /** Random numbers of their own for each sample, or the same for all. Default 'different'. */
  readonly randomness?: 'different' | 'same';
}

/** Calls `visit` with each tensor of a tree and its batch dim. */
function eachBatched(name: string, tree: Tree, dims: BatchDims, visit: (t: Tensor, dim: number | null) => void): void {
  if (typeof dims === 'number' || dims === null) {
    for (const t of leavesOf(tree)) visit(t, dims);
    return;
  }
  const isList = Array.isArray(dims);
  const keys = isList ? dims.map((_, i) => i) : Object.keys(dims);
  if (typeof tree !== 'object' || tree === null || isTensor(tree) || (isList && (!Array.isArray(tree) || tree.length !== dims.length)))
    throw new ValueError('ERR_IN_DIMS', `${name}: inDims must have the form of the arguments`, { op: name });
  for (const key of keys) {
    const part = tree instanceof Map ? (tree.get(key) as Tree) : (tree as Record<string | number, Tree>)[key];
    eachBatched(name, part, (dims as Record<string | number, BatchDims>)[key]!, visit);
  }
}

/**
 * The function that applies `fn`, written for one sample, to each sample of a batch, and stacks what it gives. It is a loop: `fn` runs once for each
 * sample, in order, so it may branch on values and do anything else; it is as fast as that loop, not as a batched kernel (PyTorch's vmap rewrites
 * every op by a batching rule; here, write the batch into the ops where speed matters). It is part of the graph. An argument that is no tensor
 * is shared by all samples.
 *
 * @example const dots = func.vmap((a, b) => a.dot(b))(x, y) // (N, D), (N, D) → (N)
 * @example
 * // The gradient of each sample's own loss: a Map of (N, …) tensors.
 * const perSample = func.vmap(func.grad(loss), { inDims: [null, 0, 0] })(params, x, y);
 * @throws ValueError `ERR_IN_DIMS`, `ERR_OUT_DIMS`; ShapeError `ERR_BATCH_SIZE` where batches differ in size.
 */
export function vmap<F extends Fn>(fn: F, options: VmapOptions = {}): (...args: Parameters<F>) => ReturnType<F> {
  const { inDims = 0, outDims = 0, randomness = 'different' } = checkOptions('vmap', options, VMAP_OPTIONS);
  return (...args) => {
    const places: (number | null)[] = [];
    const sizes = new Set<number>();
    eachBatched('vmap', args, Array.isArray(inDims) || inDims === null || typeof inDims === 'number' ? inDims : [inDims], (t, dim) => {
      const d = dim === null ? null : normalizeDim(dim, t.ndim, 'vmap');
      places.push(d);
      if (d !== null) sizes.add(t.shape[d]!);
    });
    if (sizes.size === 0)
      throw new ValueError('ERR_IN_DIMS', 'vmap: at least one tensor must have a batch dim; got inDims of null only', { op: 'vmap' });
    if (sizes.size > 1)
      throw new ShapeError(
        'ERR_BATCH_SIZE',
        `vmap: Expected all tensors to have the same size in the mapped dimension, got sizes ${[...sizes].join(', ')}`,
        {
          op: 'vmap',
        },
      );
    const [count] = [...sizes] as [number];
    if (count === 0) throw new ShapeError('ERR_BATCH_SIZE', 'vmap: a batch of size 0 has no sample to tell the outputs by', { op: 'vmap' });
    const { generator } = runtimes.current;
    const state = randomness === 'same' ? generator.getState() : null;
    const outputs: Tree[] = [];
    for (let i = 0; i < count; i++) {
      if (state !== null) generator.setState(state);
      let at = 0;
      outputs.push(
        fn(
          ...(mapTree(args, (t) => {
            const dim = places[at++]!;
            return dim === null ? t : t.select(dim, i);
          }) as never[]),
        ),
      );
    }
    return joined(outputs, outDims) as ReturnType<F>;
  };
}

function joined(outputs: readonly Tree[], outDims: number | readonly number[]): Tree {
  const rows = outputs.map(leavesOf);
  const first = rows[0]!;
  if (first.length === 0) throw new ValueError('ERR_OUT_DIMS', 'vmap: the function must return tensors, or trees of them', { op: 'vmap' });
  const dims = typeof outDims === 'number' ? first.map(() => outDims) : outDims;
  if (dims.length !== first.length || rows.some((row) => row.length !== first.length))
    throw new ValueError(
      'ERR_OUT_DIMS',
      `vmap: outDims must name a dim for each of the ${first.length} outputs, the same for each sample`,
      { op: 'vmap' },
    );
  return filledTree(
    outputs[0],
    first.map((_, k) =>
      stack(
        rows.map((row) => row[k]!),
        dims[k],
      ),
    ),
  );
}
