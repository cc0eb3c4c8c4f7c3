/** @file The convolution kernels: which way each call goes. */
import type { AcceleratedKernels, Window } from '@tessera/core/backend';
import { addressOf, type KernelHost, type WasmView } from '../code/kernel-host.js';
import { FLOAT32 } from '../matmul/element.js';
import { Gemm, NO_BIAS, type Operand } from '../matmul/gemm.js';
import type { TileShape } from '../matmul/tile.js';
import type { WasmBuffer } from '../memory/wasm-buffer.js';
import { type Correlation, Correlator } from './correlation.js';
import { forwardCorrelation, inputGradCorrelations } from './convolution.js';
import { type ImagePlanes, imagePlanes, product, three, type Three } from './image-planes.js';
import { WeightGrad } from './weight-grad.js';
import type { Winograd, WinogradProblem, WinogradWeights } from './winograd/winograd.js';
import type { WinogradChoice } from './winograd/winograd-choice.js';

type Kernels = Required<AcceleratedKernels<WasmBuffer>>;
type ConvolutionKernels = Pick<Kernels, 'convolution' | 'convolutionInputGrad' | 'convolutionWeightGrad'>;
type Windows = readonly [stride: Three, padding: Three, dilation: Three];

/** Tiles of 4x4 in all images that a weight's gradient by them is made of, at least. */
const WEIGHT_GRAD_TILES = 32;
/**
 * A weight's gradient that sums over fewer places than this is summed directly. With few places some weights have none where both the input and the
 * gradient are other than zero (ReLU and pooling leave many zeros): their gradient is exactly 0, and Winograd's filtering makes 1e-9 of it, which
 * Adam turns into a whole step. With batches of 4 a small network's loss was off by 1e-3 after three steps.
 */
const EXACT_PLACES = 2048;

const isOne = ([a, b, c]: Three): boolean => a === 1 && b === 1 && c === 1;
const isZero = ([a, b, c]: Three): boolean => a === 0 && b === 0 && c === 0;

/** Makes the kernels; with `winograd`, convolutions of 3x3 go by its filtering where that pays. */
export function convolutionKernels(
  host: KernelHost,
  tile: () => TileShape,
  winograd: ((host: KernelHost) => WinogradChoice) | null,
): ConvolutionKernels {
  // What is emitted for one way of convolving is made when a call first takes it.
  const once = <T>(make: () => T): (() => T) => {
    let made: T | undefined;
    return () => (made ??= make());
  };
  const correlator = once(() => new Correlator(host, tile()));
  const weightGrad = once(() => new WeightGrad(host, tile()));
  const gemm = once(() => new Gemm(host, FLOAT32, tile()));
  const filterings = winograd?.(host);
  const filtering = (w: ImagePlanes, windows: Windows, channels: number, rows: number, sizes: Three, leastTiles = 0): Winograd | null =>
    filterings?.choose(w, windows[0], windows[2], channels, rows, sizes, leastTiles) ?? null;

  function forward(x: ImagePlanes, w: ImagePlanes, bias: Correlation['bias'], y: ImagePlanes, windows: Windows, groups: number): void {
    const [stride, padding] = windows;
    const rows = y.C / groups;
    const channels = x.C / groups;
    if (
      isOne(w.sizes) &&
      isOne(stride) &&
      isZero(padding) &&
      groups === 1 &&
      flatPlanes(x) &&
      flatPlanes(y) &&
      (bias.address === 0 || bias.stride !== 0)
    ) {
      // Each image is a matrix of channels by positions.
      const a = { address: w.address, row: w.strideN, column: w.strideC, batch: 0 };
      const biasOfRow = { address: bias.address, row: bias.stride, column: 0 };
      gemm().run({ m: rows, n: product(y.sizes), k: channels, batch: x.N, a, b: flatMatrix(x), c: flatMatrix(y), bias: biasOfRow });
      return;
    }
    const fast = filtering(w, windows, channels, rows, y.sizes);
    if (fast === null) {
      correlator().run(forwardCorrelation(x, w, bias, y, windows, groups));
      return;
    }
    const problem: WinogradProblem = { from: x, rows, groups, padding: [padding[1], padding[2]] };
    fast.run(problem, winogradWeights(w, rows), bias, y);
  }

  function inputGrad(g: ImagePlanes, w: ImagePlanes, x: ImagePlanes, windows: Windows, groups: number): void {
    const [stride, padding] = windows;
    const rows = x.C / groups;
    const channels = g.C / groups;
    if (isOne(w.sizes) && isOne(stride) && isZero(padding) && groups === 1 && flatPlanes(x) && flatPlanes(g)) {
      const a = { address: w.address, row: w.strideC, column: w.strideN, batch: 0 };
      gemm().run({ m: rows, n: product(x.sizes), k: channels, batch: x.N, a, b: flatMatrix(g), c: flatMatrix(x), bias: NO_BIAS });
      return;
    }
    const fast = padding[1] <= 2 && padding[2] <= 2 ? filtering(w, windows, channels, rows, x.sizes) : null;
    if (fast === null) {
      inputGradCorrelations(correlator(), g, w, x, windows, groups);
      return;
    }
    // The filter turned by half a circle, channels in and out exchanged.
    const turned: WinogradWeights = {
      address: w.address + 2 * w.strides[1] + 2 * w.strides[2],
      group: channels * w.strideN,
      row: w.strideC,
      channel: w.strideN,
      tapH: -w.strides[1],
      tapW: -w.strides[2],
    };
    const problem: WinogradProblem = { from: g, rows, groups, padding: [2 - padding[1], 2 - padding[2]] };
    fast.run(problem, turned, { address: 0, stride: 0 }, x);
  }

  return {
    convolution(input, weight, bias, out, window, groups) {
      if (!areFloat32(input, weight, bias, out)) return false;
      const row = { address: bias === null ? 0 : addressOf(bias), stride: bias === null ? 0 : bias.strides[0] * 4 };
      forward(planes(input), planes(weight), row, planes(out), windowsOf(window), groups);
      return true;
    },
    convolutionInputGrad(gradOut, weight, gradInput, window, groups) {
      if (!areFloat32(gradOut, weight, gradInput)) return false;
      inputGrad(planes(gradOut), planes(weight), planes(gradInput), windowsOf(window), groups);
      return true;
    },
    convolutionWeightGrad(input, gradOut, gradWeight, window, groups) {
      if (!areFloat32(input, gradOut, gradWeight)) return false;
      const [x, g, w] = [planes(input), planes(gradOut), planes(gradWeight)];
      const windows = windowsOf(window);
      const rows = g.C / groups;
      // Products over tiles want some: of few, the 36 sums of each weight cost more than what goes into them.
      const few = x.N * g.sizes[1] * g.sizes[2] < EXACT_PLACES;
      const fast = few ? null : filtering(w, windows, x.C / groups, rows, g.sizes, WEIGHT_GRAD_TILES / x.N);
      const problem: WinogradProblem = { from: x, rows, groups, padding: [windows[1][1], windows[1][2]] };
      if (fast === null) weightGrad().run(x, g, w, windows, groups);
      else fast.weightGrad(problem, g, winogradWeights(w, rows));
      return true;
    },
  };
}

const areFloat32 = (...views: readonly (WasmView | null)[]): boolean => views.every((view) => view === null || view.dtype === 'float32');
const planes = (view: WasmView): ImagePlanes => imagePlanes(view, addressOf(view), 4);
const windowsOf = ({ stride, padding, dilation }: Window): Windows => [three(stride, 1), three(padding, 0), three(dilation, 1)];

/** The positions of a plane lie one after another, at any stride. */
function flatPlanes({ sizes: [D, H, W], strides: [d, h, w] }: ImagePlanes): boolean {
  return (H === 1 || h === w * W) && (D === 1 || d === w * W * H);
}

/** Images as matrices of channels by positions. */
const flatMatrix = ({ address, strideN, strideC, strides }: ImagePlanes): Operand => ({
  address,
  row: strideC,
  column: strides[2],
  batch: strideN,
});

function winogradWeights(w: ImagePlanes, rows: number): WinogradWeights {
  return { address: w.address, group: rows * w.strideN, row: w.strideN, channel: w.strideC, tapH: w.strides[1], tapW: w.strides[2] };
}
