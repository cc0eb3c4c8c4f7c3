/**
 * @file THE KERNEL CONTRACT. A backend is memory plus a few kernels over strided views; this file is all that one has to know of the rest.
 *
 * A backend knows nothing of autograd, modules, laziness, promotion or broadcasting. Core checks shapes and dtypes, allocates outputs,
 * broadcasts by stride 0, collapses dims, and launches nothing for results without elements; then it calls one of seven kernels.
 * With these seven alone a backend runs, and trains, everything that the framework has; accelerated kernels make it faster.
 *
 * Rules that hold for every kernel:
 * - Kernels take effect in the order in which they were called.
 * - Views (and the arrays that hold them) are only valid during the call: copy what a queue keeps.
 * - Strides are in elements, may be 0 or negative, and outputs never overlap themselves.
 * - An output may alias an input only where both views are identical. Core copies in all other cases.
 * - No kernel reads or writes out of bounds, whatever the indices. A bad index throws `ERR_INDEX_RANGE` at the call or, where that cannot
 *   be known (a GPU), at the next `read` or `synchronize`.
 * - What a kernel does not take, it refuses with an error; what it takes, it computes as documented, NaN and infinity included.
 */
import type { ComputeDType, DType } from '../tensor/dtype.js';
import type { Program } from './program.js';

/** Raised when a change here would break a backend that was written before it. */
export const CONTRACT_VERSION = 1;

/** A piece of a device's memory, made by `allocate`. Opaque to core; the physical layout is the backend's own. */
export interface BackendBuffer {
  readonly dtype: DType;
  /** In elements. */
  readonly length: number;
}

/** A strided window on a buffer: element (i, j, …) lives at `offset + i * strides[0] + j * strides[1] + …`, all in elements. */
export interface View<B extends BackendBuffer = BackendBuffer> {
  readonly buffer: B;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** How much memory a backend has in use, and in how many buffers. Bytes are those of the backend's own layout, and no fewer than the host's. */
export interface MemoryStats {
  readonly buffers: number;
  readonly bytes: number;
  /** Held for reuse, in no buffer. */
  readonly pooledBytes: number;
  readonly peakBytes: number;
}

/** What a backend claims; the conformance kit makes it prove each claim. */
export interface Capabilities {
  /** The dtypes that its buffers may have. float32, int32, uint8 and bool are required. */
  readonly dtypes: readonly DType[];
  /** Kernels that take fewer of these dtypes than {@link KERNEL_DTYPES} allows. Default: all that the table and `dtypes` share. */
  readonly kernelDTypes?: Partial<Record<keyof RequiredKernels, readonly DType[]>>;
  /** Has `readSync`. */
  readonly syncRead: boolean;
  /** How many different buffers one kernel may touch, outputs included. Core splits programs that would pass it. */
  readonly maxBuffers: number;
  /** The longest buffer, in the host's bytes: its length times the size of its dtype. */
  readonly maxBufferBytes: number;
  /** How many instructions one program may have. Core starts a new program where a chain would pass it. */
  readonly maxInstructions: number;
  /** The JavaScript engine's collector owns this memory (typed arrays): a buffer that is dropped needs no `free`. Default false. */
  readonly collected?: boolean;
  /**
   * What a buffer costs besides its elements, in bytes: with it, buffers that were dropped weigh on the collector. 0 for one that is no more than a
   * range of addresses; core then frees small dropped ones in groups. Default 65536, for an object of a driver.
   */
  readonly bufferOverhead?: number;
  /**
   * `matmul` and `linear` take operands of float16 and of bfloat16 as well (both of one), widen what they load, and write float32 (with a bias of
   * float32). Default false: core hands them wide copies.
   */
  readonly halfProducts?: boolean;
  /** Results do not depend on launch shape or fusion: deferred and eager execution agree in every bit. Default false. */
  readonly deterministic?: boolean;
}

/** The kinds of {@link RequiredKernels.reduce}. */
export type ReduceKind = 'sum' | 'prod' | 'max' | 'min' | 'argmax' | 'argmin';
/** The kinds of {@link RequiredKernels.scan}. */
export type ScanKind = 'sum' | 'prod' | 'max' | 'min' | 'logsumexp';
/** The kinds of {@link RequiredKernels.scatter}. */
export type ScatterKind = 'set' | 'add' | 'mul' | 'max' | 'min';

export interface RequiredKernels<B extends BackendBuffer = BackendBuffer> {
  /**
   * Runs a scalar program at each index of the common shape. All views have the same shape (rank 1 or more, no size 0); an input that is
   * broadcast has stride 0. The program's dtypes are those of the views. `scalars` are run-time values: no key, no recompilation.
   */
  pointwise(program: Program, scalars: ArrayLike<number>, inputs: readonly View<B>[], outputs: readonly View<B>[]): void;

  /**
   * Reduces the values of a program with one output over `axes` (increasing). Inputs have the iteration shape; `output` has the same rank
   * with size 1 at each of `axes`. Values are combined in the dtype of the program's output, or a wider one; float sums must be as
   * accurate as pairwise summation. `output.dtype` is the program's output dtype, and int32 for argmax and argmin, which give the
   * row-major index over the reduced axes, the first among equals. NaN wins in max, min, argmax and argmin. bool takes max (any) and
   * min (all). No reduced axis has size 0.
   */
  reduce(
    kind: ReduceKind,
    program: Program,
    scalars: ArrayLike<number>,
    inputs: readonly View<B>[],
    output: View<B>,
    axes: readonly number[],
  ): void;

  /**
   * Running sum, prod, max, min (NaN wins from its place on) or, of floats, logsumexp along `axis`, from the far end when `reverse`. Same shapes.
   * Long sums must keep their digits.
   */
  scan(kind: ScanKind, reverse: boolean, input: View<B>, output: View<B>, axis: number): void;

  /** out[b] = a[b] · b[b]. Ranks are 3: (B, M, K), (B, K, N), (B, M, N); any strides, so a transposed operand costs no copy. K may not be 0. */
  matmul(a: View<B>, b: View<B>, out: View<B>): void;

  /**
   * out[i][j] = input[indices[i][j]][j] for dim 0, and so on: the shape of `indices` (int32) is that of `out`; `input` agrees with it in
   * all dims but `dim`. A row lookup (embedding, index_select) has indices with stride 0 in the other dims. Indices lie in [0, input.shape[dim]).
   */
  gather(input: View<B>, indices: View<B>, dim: number, out: View<B>): void;

  /**
   * The reverse: out[indices[i][j]][j] = source[i][j] (or +=, *=, max, min), in place. `indices` has the shape of `source`. The same
   * result each time on one backend; where several sources meet in `set`, the last in row-major order wins.
   */
  scatter(kind: ScatterKind, indices: View<B>, source: View<B>, dim: number, out: View<B>): void;

  /** Sorts along `dim`, stably; NaN counts as the largest. Writes the sorted values and their int32 places in `input`. Same shapes. */
  sort(input: View<B>, dim: number, descending: boolean, values: View<B>, indices: View<B>): void;
}

/**
 * Which dtypes core may hand to each kernel, where the backend has the dtype at all. Core converts everything else before the call (sums
 * of uint8 run as int32, sums of float16 as float32, …). For `pointwise` and `reduce` the dtypes are those of the views that the program loads.
 */
export const KERNEL_DTYPES: { readonly [K in keyof RequiredKernels]: readonly DType[] } = {
  pointwise: ['float32', 'float64', 'float16', 'bfloat16', 'int32', 'uint8', 'bool'],
  reduce: ['float32', 'float64', 'float16', 'bfloat16', 'int32', 'uint8', 'bool'],
  scan: ['float32', 'float64', 'int32'],
  matmul: ['float32', 'float64', 'int32'],
  gather: ['float32', 'float64', 'float16', 'bfloat16', 'int32', 'uint8', 'bool'],
  scatter: ['float32', 'float64', 'int32', 'uint8', 'bool', 'float16', 'bfloat16'],
  sort: ['float32', 'float64', 'int32', 'uint8', 'bool'],
};
/** `scatter` with 'add', 'mul', 'max' and 'min' takes these only; 'set' takes all of its row above. */
export const SCATTER_REDUCE_DTYPES: readonly DType[] = ['float32', 'float64', 'int32'];
/** What the program of a `reduce` may yield: its accumulation dtype. bool for max and min only. */
export const REDUCE_OUTPUT_DTYPES: readonly ComputeDType[] = ['float32', 'float64', 'int32', 'bool'];

/** Sizes of a convolution or a pooling window, one entry for each spatial dim (1 to 3). */
export interface Window {
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

/**
 * Kernels that a backend may have besides; each has a decomposition in core into the seven. One that returns false declines the call, has
 * written nothing, and the decomposition runs. Plugins extend this interface by declaration merging and reach theirs by name.
 */
export interface AcceleratedKernels<B extends BackendBuffer = BackendBuffer> {
  /**
   * `pointwise` of one program on several sets of views, each with a shape and scalars of its own: an optimizer's step of all parameters, pieces that are
   * put side by side. What one set writes no other reads or writes.
   */
  pointwiseEach(
    program: Program,
    scalars: readonly ArrayLike<number>[],
    inputs: readonly (readonly View<B>[])[],
    outputs: readonly (readonly View<B>[])[],
  ): boolean;
  /** input (N, C, …), weight (O, C/groups, …), bias (O) or null, out (N, O, …). Any strides. A cross-correlation, as in PyTorch. */
  convolution(input: View<B>, weight: View<B>, bias: View<B> | null, out: View<B>, window: Window, groups: number): boolean;
  /** The gradient of `convolution` by its input (also: the transposed convolution): gradOut (N, O, …), weight → gradInput (N, C, …). */
  convolutionInputGrad(gradOut: View<B>, weight: View<B>, gradInput: View<B>, window: Window, groups: number): boolean;
  /** The gradient of `convolution` by its weight: input, gradOut → gradWeight (O, C/groups, …). */
  convolutionWeightGrad(input: View<B>, gradOut: View<B>, gradWeight: View<B>, window: Window, groups: number): boolean;
  /** input (N, C, …) → out and int32 `indices` (into the input's flattened spatial plane; null when not wanted). NaN wins; padding is -Infinity. */
  maxPool(input: View<B>, out: View<B>, indices: View<B> | null, kernel: readonly number[], window: Window): boolean;
  /** The gradient of `maxPool` from its indices; gradInput is overwritten. */
  maxPoolGrad(gradOut: View<B>, indices: View<B>, gradInput: View<B>, kernel: readonly number[], window: Window): boolean;
  /** Mean over windows. `divisor`: the window's size, its part inside the padded input ('padded'), inside the input ('valid'), or a number. */
  avgPool(input: View<B>, out: View<B>, kernel: readonly number[], window: Window, divisor: 'padded' | 'valid' | number): boolean;
  avgPoolGrad(
    gradOut: View<B>,
    gradInput: View<B>,
    kernel: readonly number[],
    window: Window,
    divisor: 'padded' | 'valid' | number,
  ): boolean;
  /** softmax (or its logarithm) over the last dim of (rows, columns). */
  softmax(input: View<B>, out: View<B>, log: boolean): boolean;
  /** gradInput from the output of `softmax`. */
  softmaxGrad(gradOut: View<B>, out: View<B>, gradInput: View<B>, log: boolean): boolean;
  /** out = a · bᵀ + bias, a (M, K), b (N, K), bias (N) or null, out (M, N). */
  linear(a: View<B>, b: View<B>, bias: View<B> | null, out: View<B>): boolean;
  /**
   * A product, and a pointwise program on it as its epilogue (bias, activation, a residual, a mask), in one kernel: a (B, M, K), b (B, K, N) as in `matmul`,
   * bias (N) or null. The program reads a · b + bias (float32) where `inputs` is null, and there only; its other inputs and its outputs have one shape,
   * whose row-major order is that of (B, M, N). A backend with this kernel has
   * `linear` too, and declines none of float32 results there: core then hands it products only once it knows what comes after them.
   */
  matmulPointwise(
    a: View<B>,
    b: View<B>,
    bias: View<B> | null,
    program: Program,
    scalars: ArrayLike<number>,
    inputs: readonly (View<B> | null)[],
    outputs: readonly View<B>[],
  ): boolean;
  /** The same of a convolution, whose result (N, O, …) gives the order. A backend with this kernel declines no `convolution` of float32. */
  convolutionPointwise(
    input: View<B>,
    weight: View<B>,
    bias: View<B> | null,
    window: Window,
    groups: number,
    program: Program,
    scalars: ArrayLike<number>,
    inputs: readonly (View<B> | null)[],
    outputs: readonly View<B>[],
  ): boolean;
  /**
   * Normalizes each row of input (rows, columns): (x − mean) · rstd · weight + bias, rstd = 1/√(var + eps) with the biased variance; writes
   * `mean` and `rstd` (rows) too. `mean` null: the root-mean-square norm, x · rstd, rstd = 1/√(mean(x²) + eps). weight, bias: (columns) or null.
   */
  layerNorm(
    input: View<B>,
    weight: View<B> | null,
    bias: View<B> | null,
    out: View<B>,
    mean: View<B> | null,
    rstd: View<B>,
    eps: number,
  ): boolean;
  /** The gradients of `layerNorm`; those that are null are not wanted. gradWeight, gradBias: (columns), overwritten. */
  layerNormGrad(
    gradOut: View<B>,
    input: View<B>,
    weight: View<B> | null,
    mean: View<B> | null,
    rstd: View<B>,
    gradInput: View<B> | null,
    gradWeight: View<B> | null,
    gradBias: View<B> | null,
  ): boolean;
  /**
   * Normalizes each channel of input (N, C, S) over N and S, by the batch's own mean and biased variance, which it writes to `mean` and
   * `variance` (C). weight, bias: (C) or null. out = (x − mean) / √(variance + eps) · weight + bias.
   */
  batchNorm(
    input: View<B>,
    weight: View<B> | null,
    bias: View<B> | null,
    out: View<B>,
    mean: View<B>,
    variance: View<B>,
    eps: number,
  ): boolean;
  /** The gradients of `batchNorm`; those that are null are not wanted. gradWeight, gradBias: (C), overwritten. */
  batchNormGrad(
    gradOut: View<B>,
    input: View<B>,
    weight: View<B> | null,
    mean: View<B>,
    variance: View<B>,
    eps: number,
    gradInput: View<B> | null,
    gradWeight: View<B> | null,
    gradBias: View<B> | null,
  ): boolean;
  /**
   * Scaled-dot-product attention: out = softmax(query · keyᵀ · scale + mask) · value. query (B, L, E), key (B, S, E), value (B, S, V),
   * out (B, L, V); mask (B, L, S): float to add, bool (true takes part), or null, any strides, 0 among them. `causal`: row i sees columns up to i.
   * `logsumexp` (B, L) of the scaled and masked scores is written for the backward. A row that sees nothing gives NaN, as softmax does.
   */
  attention(
    query: View<B>,
    key: View<B>,
    value: View<B>,
    mask: View<B> | null,
    causal: boolean,
    scale: number,
    out: View<B>,
    logsumexp: View<B>,
  ): boolean;
  /** The gradients of `attention`, all three overwritten. The mask gets none. */
  attentionGrad(
    gradOut: View<B>,
    query: View<B>,
    key: View<B>,
    value: View<B>,
    mask: View<B> | null,
    causal: boolean,
    scale: number,
    out: View<B>,
    logsumexp: View<B>,
    gradQuery: View<B>,
    gradKey: View<B>,
    gradValue: View<B>,
  ): boolean;
  /**
   * losses[i] = logsumexp(logits[i]) − logits[i][targets[i]], and 0 where targets[i] is `ignoreIndex`. logits (rows, classes), targets (rows)
   * int32, losses and `logsumexp` (rows), which the backward reads. Targets are checked as indices are.
   */
  crossEntropy(logits: View<B>, targets: View<B>, losses: View<B>, logsumexp: View<B>, ignoreIndex: number): boolean;
  /**
   * gradLogits[i][j] = gradLosses[i] · (exp(logits[i][j] − logsumexp[i]) − [j = targets[i]]), and 0 in ignored rows. `logsumexp` was rounded when
   * it was stored: a kernel that can afford it normalizes each row anew.
   */
  crossEntropyGrad(
    gradLosses: View<B>,
    logits: View<B>,
    targets: View<B>,
    logsumexp: View<B>,
    gradLogits: View<B>,
    ignoreIndex: number,
  ): boolean;
  /**
   * The `k` largest (or smallest) of each row of input (rows, columns), in order, and their int32 columns, both (rows, k): what `sort` would put
   * first, so that NaN counts as the largest, and equals stay in the order of their columns.
   */
  topk(input: View<B>, k: number, largest: boolean, values: View<B>, indices: View<B>): boolean;
  /** A step of an LSTM: c' = σ(f)·c + σ(i)·tanh(g), h' = σ(o)·tanh(c'), from the gates (N, 4H), in the order i, f, g, o, and c (N, H). */
  lstmStep(gates: View<B>, cell: View<B>, newHidden: View<B>, newCell: View<B>): boolean;
  /**
   * The gradients of an LSTM's step c' = σ(f)·c + σ(i)·tanh(g), h' = σ(o)·tanh(c'): from those of h' and c' (null: none) by the gates (N, 4H), in
   * the order i, f, g, o, and by c (N, H), from gates, c and c'.
   */
  lstmStepGrad(
    gradHidden: View<B> | null,
    gradNewCell: View<B> | null,
    gates: View<B>,
    cell: View<B>,
    newCell: View<B>,
    gradGates: View<B>,
    gradCell: View<B>,
  ): boolean;
  /** A step of a GRU, as described at `gruStepGrad`: from the gates of the input and of the state (N, 3H each) and h (N, H) to h' (N, H). */
  gruStep(inputGates: View<B>, stateGates: View<B>, hidden: View<B>, out: View<B>): boolean;
  /**
   * The gradients of a GRU's step r = σ(x_r + h_r), z = σ(x_z + h_z), n = tanh(x_n + r·h_n), h' = (1 − z)·n + z·h by the gates of the input x and of
   * the state (N, 3H each), in the order r, z, n, and by h (N, H).
   */
  gruStepGrad(
    gradOut: View<B>,
    inputGates: View<B>,
    stateGates: View<B>,
    hidden: View<B>,
    gradInputGates: View<B>,
    gradStateGates: View<B>,
    gradHidden: View<B>,
  ): boolean;
}

/** The clock of a device: what profilers ask, where the time of a call says little about the time of its kernel. */
export interface KernelTiming {
  /** From now on kernels are timed. */
  begin(): void;
  /** Ends that. The milliseconds of each kernel call since `begin` that did not decline, in the order of the calls. */
  end(): Promise<readonly number[]>;
}

/** A backend that compiles a kernel when it is first called: what `warmup` tells it, so that nothing waits for one kernel after the other. */
export interface KernelCompilation {
  /** From now on kernels that are not compiled yet may be compiled aside, together; calls take effect when theirs is there, in order. */
  begin(): void;
  /** Ends that. Resolves when all that was called for is compiled and has run; rejects as `synchronize` does. */
  end(): Promise<void>;
}

/** What implements the contract. `id` is open: 'cpu', 'wasm', 'webgpu', or any plugin's. */
export interface Backend<B extends BackendBuffer = BackendBuffer> {
  readonly id: string;
  readonly contractVersion: number;
  readonly capabilities: Capabilities;
  readonly kernels: RequiredKernels<B> & Partial<AcceleratedKernels<B>>;
  /** The hardware was lost (a driver's reset) and with it all that was on it: every call throws, and `init` starts another. Default false. */
  readonly lost?: boolean;
  /** Memory for `length` elements (1 or more), with any contents. Throws `ERR_OUT_OF_MEMORY` with what was asked and what is live. */
  allocate(dtype: DType, length: number): B;
  /** Called once for a buffer, when nothing can use it any more. */
  free(buffer: B): void;
  /**
   * Copies host bytes (row-major, little-endian, PyTorch's element sizes) to `elementOffset` and on. The bytes may change after the call, and may be
   * a window on a larger array, at any byte of it.
   */
  write(buffer: B, elementOffset: number, hostBytes: Uint8Array): void;
  /** The bytes of `length` elements, after all kernels that were called before. The caller owns them. */
  read(buffer: B, elementOffset: number, length: number): Promise<Uint8Array>;
  /** The same at once, where the backend can wait. */
  readSync?(buffer: B, elementOffset: number, length: number): Uint8Array;
  /** Resolves when all kernels called so far have taken effect; rejects with the first error that they left behind. */
  synchronize(): Promise<void>;
  memory(): MemoryStats;
  /** For a backend whose kernels run after the call that launches them, and that can tell how long each took. Default: none; calls are timed. */
  readonly timing?: KernelTiming;
  /** For a backend that compiles while it runs, and can do it aside. Default: none; `warmup` just calls the kernels. */
  readonly compilation?: KernelCompilation;
  /**
   * For a backend whose caller can be far ahead of the device, and that cannot make it wait: null while that is no harm, else a promise of some
   * progress. Loops that await something anyway ask; the data loader does. Default: none.
   */
  ready?(): Promise<void> | null;
  /** Releases everything. Afterwards any call throws a DeviceError `ERR_BACKEND_DISPOSED`; a second `dispose` does nothing. */
  dispose(): Promise<void>;
}
