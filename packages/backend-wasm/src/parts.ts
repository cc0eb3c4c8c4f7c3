/**
 * @file The entry `@tessera/backend-wasm/parts`: the backend in parts, for bundles that hold what they use. What is always there: memory, the
 * pointwise kernel with all opcodes but the functions below, on one thread. A program that needs a part that it left out throws NotSupportedError
 * `ERR_PART_LEFT_OUT`, which names the part. The parts `convolutions`, `winograd`, `pooling`, `rows`, `attention`, `threads` and `transposes` only make
 * faster what others do without them.
 *
 * @example
 * import { init, matmul, rand } from 'tessera/functional';
 * import { products, wasmPluginOf } from '@tessera/backend-wasm/parts';
 * await init({ plugins: [wasmPluginOf([products])], device: 'wasm' });
 * await matmul(rand(2, 3), rand(3, 4)).toArrayAsync();
 */
import { attentionKernels } from './attention/attention.js';
import { convolutionKernels } from './convolution/convolutions.js';
import { WinogradChoice } from './convolution/winograd/winograd-choice.js';
import { createGather } from './kernels/gather.js';
import { Rearranger } from './kernels/rearrange.js';
import { createReduce } from './kernels/reduce.js';
import { createScan } from './kernels/scan.js';
import { createScatter } from './kernels/scatter.js';
import { createSort } from './kernels/sort.js';
import { hasSharedMemory } from './machine/features.js';
import { ELEMENTARY_FUNCTIONS, SPECIAL_FUNCTIONS } from './math/functions.js';
import { TILE_4X8 } from './matmul/gemm.js';
import { matmulKernels } from './matmul/matmul.js';
import { tileOf } from './matmul/tile-choice.js';
import { poolKernels } from './pooling/pooling.js';
import { rowKernels } from './rows/rows.js';
import { coreCount } from './threads/start-worker.js';
import { ThreadPool } from './threads/thread-pool.js';
import type { WasmPart } from './parts/part.js';

export { wasmPluginOf } from './composed-plugin.js';
export type { WasmPart } from './parts/part.js';

/** exp, log, pow, tanh, sin and all of their families, erf of float32; sigmoid, GELU, softmax without `rows`, … stand on them. */
export const elementaryFunctions: WasmPart = { name: 'elementaryFunctions', functions: ELEMENTARY_FUNCTIONS };

/** erf and its inverse, the gamma functions, remainders of floats. Brings the elementary ones, on which they stand. */
export const specialFunctions: WasmPart = { name: 'specialFunctions', functions: SPECIAL_FUNCTIONS };

/** Sums, products, extremes and their places over any dims. */
export const reductions: WasmPart = { name: 'reductions', kernels: ({ machine }) => ({ reduce: createReduce(machine) }) };

/** Cumulative sums and their like. */
export const scans: WasmPart = {
  name: 'scans',
  kernels: ({ machine }) => ({ scan: createScan(machine) }),
  functions: ELEMENTARY_FUNCTIONS,
};

/** Products of matrices, batched or with a bias. */
export const products: WasmPart = { name: 'products', kernels: ({ host }) => matmulKernels(host, () => tileOf(host)) };

/** gather and scatter, and what stands on them: embeddings, advanced indexing. */
export const indexing: WasmPart = {
  name: 'indexing',
  kernels: ({ machine }) => ({ gather: createGather(machine), scatter: createScatter(machine) }),
};

export const sorting: WasmPart = { name: 'sorting', kernels: ({ machine }) => ({ sort: createSort(machine) }) };

/** Convolutions and their gradients, of one to three dims. */
export const convolutions: WasmPart = {
  name: 'convolutions',
  kernels: ({ host, winograd }) => convolutionKernels(host, () => tileOf(host), winograd),
};

/** With {@link convolutions}: those of 3x3 by Winograd's filtering, up to three times as fast. */
export const winograd: WasmPart = { name: 'winograd', winograd: (host) => new WinogradChoice(host) };

/** Max and average pooling, and their gradients. */
export const pooling: WasmPart = { name: 'pooling', kernels: ({ host }) => poolKernels(host) };

/** Softmax, cross-entropy, layer and batch norm, and their gradients. */
export const rows: WasmPart = { name: 'rows', kernels: ({ host }) => rowKernels(host) };

/** Scaled dot-product attention, and its gradients. */
export const attention: WasmPart = {
  name: 'attention',
  kernels: ({ host }) => attentionKernels(host, { ...TILE_4X8, fma: host.machine.fma }),
};

const MAX_DEFAULT_THREADS = 8;

/** Threads over shared memory, where the page may have it. */
export const threads: WasmPart = {
  name: 'threads',
  threading: {
    available: hasSharedMemory,
    defaultCount: () => Math.min(coreCount(), MAX_DEFAULT_THREADS),
    create: (memory, count, place) => new ThreadPool(memory, count, place),
  },
};

/** Pointwise programs on transposed tensors go tile by tile. */
export const transposes: WasmPart = { name: 'transposes', rearranger: (machine) => new Rearranger(machine) };
