/**
 * @file From values to the views that a kernel gets: broadcast by stride 0, dims collapsed. The view objects are reused from launch to
 * launch, which the contract allows: kernels may not keep them.
 */
import type { BackendBuffer, View } from '../backend/contract.js';
import type { DType } from './dtype.js';
import { MAX_INPUTS, MAX_OUTPUTS } from './limits.js';
import { contiguousStrides, type Shape } from './shape.js';
import type { Value } from './value.js';

const MAX_VIEWS = MAX_INPUTS + MAX_OUTPUTS;
const MAX_RANK = 32;

class LaunchView implements View {
  buffer!: BackendBuffer;
  dtype!: DType;
  shape: number[] = FLAT;
  strides: number[] = ONE;
  offset = 0;
  /** Stride arrays of its own, by rank. */
  readonly byRank: number[][] = [];
}

const FLAT = [1];
const ONE = [1];
const ZERO = [0];
const views: LaunchView[] = [];
for (let i = 0; i < MAX_VIEWS; i++) views.push(new LaunchView());
const shapes: number[][] = [];
const lists: LaunchView[][] = [];
const outLists: LaunchView[][] = [];

/** A reused array of `count` views. */
function list(pool: LaunchView[][], count: number): LaunchView[] {
  for (let n = pool.length; n <= count; n++) pool.push(new Array<LaunchView>(n));
  return pool[count]!;
}

function shapeOfRank(rank: number): number[] {
  for (let n = shapes.length; n <= rank; n++) shapes.push(new Array<number>(n).fill(1));
  return shapes[rank]!;
}

function stridesOfRank(view: LaunchView, rank: number): number[] {
  for (let n = view.byRank.length; n <= rank; n++) view.byRank.push(new Array<number>(n).fill(0));
  return view.byRank[rank]!;
}

/** What the last call prepared. */
export const layout = {
  inputs: lists as unknown as readonly View[],
  outputs: outLists as unknown as readonly View[],
  /** The reduced axes of the collapsed shape. */
  axes: [] as number[],
};

function place(view: LaunchView, v: Value): void {
  const memory = v.memory!;
  view.buffer = memory.buffer;
  view.dtype = memory.dtype;
  view.offset = v.offset;
}

/**
 * Views of the first `inputCount` and then `outputCount` leaves of `values`, over `shape`. All of them one-dimensional where each is either
 * row-major and whole, or a single element; else with merged dims.
 */
export function pointwiseLayout(
  values: readonly Value[],
  inputCount: number,
  outputCount: number,
  shape: Shape,
  numel: number,
  indexed: boolean,
): void {
  const count = inputCount + outputCount;
  const inputs = list(lists, inputCount);
  const outputs = list(outLists, outputCount);
  layout.inputs = inputs;
  layout.outputs = outputs;
  let flat = !indexed || shape.length <= 1;
  for (let i = 0; flat && i < count; i++) {
    const v = values[i]!;
    if (!(v.contiguous && v.numel === numel) && v.numel !== 1) flat = false;
  }
  for (let i = 0; i < count; i++) {
    const view = views[i]!;
    place(view, values[i]!);
    if (i < inputCount) inputs[i] = view;
    else outputs[i - inputCount] = view;
  }
  if (flat) {
    FLAT[0] = numel;
    for (let i = 0; i < count; i++) {
      const view = views[i]!;
      view.shape = FLAT;
      view.strides = values[i]!.numel === numel ? ONE : ZERO;
    }
    return;
  }
  collapse(values, count, shape, 0, !indexed);
}

/** Views for a reduction of the first `inputCount` leaves over the dims in the bit set `axes`; the leaf after them is the output, of the kept dims. */
export function reduceLayout(values: readonly Value[], inputCount: number, shape: Shape, axes: number, indexed: boolean): void {
  const inputs = list(lists, inputCount);
  const outputs = list(outLists, 1);
  layout.inputs = inputs;
  layout.outputs = outputs;
  for (let i = 0; i <= inputCount; i++) place(views[i]!, values[i]!);
  for (let i = 0; i < inputCount; i++) inputs[i] = views[i]!;
  outputs[0] = views[inputCount]!;
  collapse(values, inputCount, shape, axes, !indexed);
}

const dims = new Array<number>(MAX_RANK).fill(1);
const table = new Array<number>(MAX_VIEWS * MAX_RANK).fill(0);

/**
 * Merges neighbouring dims wherever all views allow it, and drops dims of size 1. Kept dims come first, reduced ones after them (in their
 * order, so that row-major indices over them stay what they were). With `axes`, the view after the first `count` is a row-major output
 * of the kept dims. Without merging (a program that reads indices) kept and reduced dims stay where they are.
 */
function collapse(values: readonly Value[], count: number, shape: Shape, axes: number, merge: boolean): void {
  const rank = shape.length;
  let D = 0;
  let kept = 0;
  layout.axes.length = 0;
  for (let pass = 0; pass < (merge ? 2 : 1); pass++) {
    const start = D;
    for (let d = 0; d < rank; d++) {
      const reduced = (axes >> d) & 1;
      if (merge && (reduced !== pass || shape[d] === 1)) continue;
      const size = shape[d]!;
      let join = merge && D > start;
      for (let i = 0; i < count; i++) {
        const v = values[i]!;
        const k = d - rank + v.shape.length;
        const s = k < 0 || v.shape[k] === 1 ? 0 : v.strides![k]!;
        table[i * MAX_RANK + D] = s;
        if (join && table[i * MAX_RANK + D - 1] !== s * size) join = false;
      }
      if (join) {
        dims[D - 1]! *= size;
        for (let i = 0; i < count; i++) table[i * MAX_RANK + D - 1] = table[i * MAX_RANK + D]!;
      } else {
        if (merge ? pass === 1 : reduced === 1) layout.axes.push(D);
        dims[D++] = size;
      }
    }
    if (pass === 0) kept = D;
  }
  // A kernel gets at least one dim, and a reduction at least one axis.
  if (D === 0 || (axes !== 0 && layout.axes.length === 0)) {
    for (let i = 0; i < count; i++) table[i * MAX_RANK + D] = 0;
    if (axes !== 0) layout.axes.push(D);
    else kept = 1;
    dims[D++] = 1;
  }
  const common = shapeOfRank(D);
  for (let d = 0; d < D; d++) common[d] = dims[d]!;
  for (let i = 0; i < count; i++) {
    const view = views[i]!;
    const strides = stridesOfRank(view, D);
    for (let d = 0; d < D; d++) strides[d] = table[i * MAX_RANK + d]!;
    view.shape = common;
    view.strides = strides;
  }
  if (axes === 0) return;
  const out = views[count]!;
  const strides = stridesOfRank(out, D);
  const outShape = new Array<number>(D);
  let step = 1;
  for (let d = D - 1; d >= 0; d--) {
    const reduced = merge ? d >= kept : ((axes >> d) & 1) === 1;
    outShape[d] = reduced ? 1 : dims[d]!;
    strides[d] = reduced ? 0 : step;
    if (!reduced) step *= dims[d]!;
  }
  out.shape = outShape;
  out.strides = strides;
}

/** Strides of leaves are made when a launch that is not flat first asks for them. */
export function ensureStrides(v: Value): Shape {
  return (v.strides ??= contiguousStrides(v.shape));
}
