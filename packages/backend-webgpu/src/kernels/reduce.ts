/**
 * @file The reduce kernel. The kept dims give items, the reduced ones a length. Either an invocation walks over an item's length by itself, or a
 * workgroup shares it; where there are too few items to fill a GPU, the length is cut into pieces, and a second launch reduces their results.
 * No partial sum gets more than some dozens of terms in a row, so that float sums are as accurate as pairwise summation.
 */
import { type Program, type ReduceKind, type RequiredKernels, registerDTypes, ValueError } from '@tessera/core/backend';
import type { PipelineSource } from '../device/launcher.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { loadElement } from '../wgsl/elements.js';
import { castExpression, packScalars, programText } from '../wgsl/program.js';
import { kernelSource, Parameters, type Stored } from '../wgsl/source.js';
import { coordinates, type GpuView, offsetAt, packShape, packView, sizeOf, sourceRank, viewParameters } from '../wgsl/views.js';
import { Bindings } from './bindings.js';
import type { Context } from './context.js';
import { ProgramTable } from './program-table.js';
import { type Reduction, reductionOf } from './reduction.js';
import { storeNarrow } from './store-narrow.js';

/** Invocations of a workgroup, for items of an invocation each and for shared ones. */
const LANES = 64;
/** Terms that one invocation adds in a row before it begins another partial sum. */
const RUN = 32;
/** Above this length a workgroup shares an item, unless neighbouring invocations read neighbouring elements. */
const SHARED_ABOVE = 64;
/** What one invocation walks over at most before the length is cut. */
const WALK = 256;
/** Workgroups that fill a large GPU. */
const ENOUGH_GROUPS = 512;

interface Plan {
  readonly kind: ReduceKind;
  readonly program: Program;
  readonly reduction: Reduction;
  readonly bool: boolean;
  /** Ranks of the kept and the reduced dims, as they are padded. */
  readonly kept: number;
  readonly reduced: number;
  /** The dims of the iteration in order: kept ones as k0, k1, … and reduced ones as q0, … */
  readonly dims: readonly string[];
  readonly shared: boolean;
  /** Writes partial results, not the output. */
  readonly partial: boolean;
  readonly bindings: Bindings;
}

export function createReduce(context: Context): RequiredKernels<WebGpuBuffer>['reduce'] {
  const table = new ProgramTable();
  const { launcher } = context;

  return (kind, program, scalars, inputs, output, axes) => {
    if (inputs.length === 0)
      throw new ValueError('ERR_PROGRAM_VIEWS', `reduce ${kind}: a program without inputs has no shape to run over`, {
        op: 'reduce',
        device: 'webgpu',
      });
    const dtype = registerDTypes(program)[program.outputs[0].register];
    const reduction = reductionOf(kind, dtype);
    const { shape } = inputs[0];
    const isReduced = shape.map((_, d) => axes.includes(d));
    const pick = <T>(list: readonly T[], reduced: boolean): T[] => list.filter((_, d) => isReduced[d] === reduced);
    const keptShape = pick(shape, false);
    const reducedShape = pick(shape, true);
    const items = sizeOf(keptShape);
    const length = sizeOf(reducedShape);
    const kept = keptShape.length === 0 ? 0 : sourceRank(keptShape.length);
    const reduced = sourceRank(reducedShape.length);
    const dims = namesOf(isReduced, kept - keptShape.length, reduced - reducedShape.length);
    // Do neighbouring items lie closer together than an item's own elements?
    const columns = items > 1 && nearness(inputs, isReduced, false) < nearness(inputs, isReduced, true);
    const shared = length > SHARED_ABOVE && !(columns && items >= LANES && length <= 4 * WALK);
    const groups = shared ? items : Math.ceil(items / LANES);
    const walk = shared ? WALK * LANES : WALK;
    let pieces = 1;
    if (length > walk / 8 && groups < ENOUGH_GROUPS)
      pieces = Math.min(Math.ceil(length / (walk / 8)), Math.ceil(ENOUGH_GROUPS / groups), 1024);
    // Pieces of an argmax are two arrays, which is one binding more than a program leaves room for.
    if (reduction.indexed && inputs.length + 2 > launcher.queue.facts.limits.maxStorageBuffersPerShaderStage) pieces = 1;
    const pieceLength = Math.ceil(length / pieces);
    pieces = Math.ceil(length / pieceLength);

    const partial = pieces > 1;
    const narrow = dtype === 'bool' && !reduction.indexed;
    const values = partial ? context.scratch(reduction.type === 'f32' ? 'float32' : 'int32', items * pieces) : null;
    const places = partial && reduction.indexed ? context.scratch('int32', items * pieces) : null;
    const words = narrow ? context.scratch('int32', items) : null;
    const outBuffer = words ?? output.buffer;
    const targets = partial ? (places === null ? [values!] : [values!, places]) : [outBuffer];
    const bindings = new Bindings(
      inputs.map((view) => view.buffer),
      targets,
    );
    const plan: Plan = { kind, program, reduction, bool: dtype === 'bool', kept, reduced, dims, shared, partial, bindings };
    const key = `${kind}${kept}${reduced}${shared ? 's' : 'i'}${partial ? 'p' : 'o'}${dims.join('')}:${bindings.key}`;
    const pipeline = table.find(launcher, program, key, () => source(plan));
    launcher.begin();
    for (const buffer of bindings.buffers) launcher.bind(buffer);
    launcher.word(items).word(length).word(pieces).word(pieceLength);
    packShape(launcher, keptShape, kept);
    packShape(launcher, reducedShape, reduced);
    for (const view of inputs) {
      launcher.word(view.offset);
      launcher.list(padded(pick(view.strides, false), kept));
      launcher.list(padded(pick(view.strides, true), reduced));
    }
    if (!partial) packOutput(context, output, isReduced, kept, narrow);
    packScalars(program, scalars, launcher);
    const invocations = items * pieces;
    launcher.launch(pipeline, shared ? invocations : Math.ceil(invocations / LANES));
    if (partial) finish(context, reduction, values!, places, items, pieces, outBuffer, output, isReduced, kept, keptShape, narrow);
    if (words !== null) storeNarrow(context, words, output);
    context.release();
  };
}

const padded = (list: readonly number[], rank: number): number[] => [
  ...new Array<number>(Math.max(0, rank - list.length)).fill(0),
  ...list,
];

/** The output over the kept dims: a view, or the items in a row. */
function packOutput({ launcher }: Context, output: GpuView, isReduced: readonly boolean[], kept: number, words: boolean): void {
  const strides = output.strides.filter((_, d) => !isReduced[d]);
  if (words) {
    const sizes = output.shape.filter((_, d) => !isReduced[d]);
    packView(launcher, 0, rowMajor(sizes), kept);
  } else packView(launcher, output.offset, strides, kept);
}

function rowMajor(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= shape[d];
  }
  return strides;
}

/** The names of coordinates, dim by dim; padding takes the first ones of each kind. */
function namesOf(isReduced: readonly boolean[], keptPadding: number, reducedPadding: number): string[] {
  let k = keptPadding;
  let r = reducedPadding;
  return isReduced.map((reduced) => (reduced ? `q${r++}` : `k${k++}`));
}

/** The smallest stride along kept or reduced dims, over all inputs that move there. */
function nearness(inputs: readonly GpuView[], isReduced: readonly boolean[], reduced: boolean): number {
  let least = Infinity;
  for (const { strides, shape } of inputs)
    strides.forEach((stride, d) => {
      if (isReduced[d] === reduced && shape[d] > 1 && stride !== 0) least = Math.min(least, Math.abs(stride));
    });
  return least;
}

/** Shared by both stages: combines the lanes of a workgroup into lane 0's `total`. */
function combineLanes(type: string): { head: string; body: string } {
  return {
    head: `var<workgroup> lanes: array<${type}, ${LANES}>;`,
    body: `lanes[lane] = total;
workgroupBarrier();
for (var step = ${LANES / 2}u; step > 0u; step >>= 1u) {
if (lane < step) { lanes[lane] = combine(lanes[lane], lanes[lane + step]); }
workgroupBarrier();
}
total = lanes[0];`,
  };
}

/** Walks from `first` to `last` in steps of `step`, in runs: `value` is the term at j. */
function walkText(reduction: Reduction, statements: string, value: string, first: string, last: string, step: string): string {
  const type = reduction.indexed ? 'Best' : reduction.type;
  return `var total: ${type} = ${reduction.start};
var j = ${first};
while (j < ${last}) {
var run: ${type} = ${reduction.start};
for (var n = 0u; n < ${RUN}u && j < ${last}; n++) {
${statements}
run = combine(run, ${value});
j += ${step};
}
total = combine(total, run);
}`;
}

function source(plan: Plan): PipelineSource {
  const { kind, program, reduction, bool, kept, reduced, dims, shared, partial, bindings } = plan;
  const p = new Parameters();
  const [items, length, pieces, pieceLength] = p.uints(4);
  const keptSizes = p.uints(kept);
  const reducedSizes = p.uints(reduced);
  const inputs = program.inputs.map((dtype, i) => ({
    dtype,
    binding: `b${bindings.places[i]}`,
    offset: p.i(),
    kept: p.ints(kept),
    reduced: p.ints(reduced),
  }));
  const out = partial ? null : viewParameters(p, kept);
  const scalars = p.uints(program.scalars.length);
  const text = programText(
    program,
    (i) => loadElement(inputs[i].binding, inputs[i].dtype, `o${i}`),
    (i) => scalars[i],
    (dim) => `i32(${dims[dim]})`,
  );
  const [outValue, outPlace] = bindings.places.slice(inputs.length).map((place) => `b${place}`);
  const bases = inputs.map(({ offset, kept: strides }, i) => `let base${i} = i32(${offsetAt(offset, strides, 'k')});`);
  const statements = [
    coordinates('j', reducedSizes, 'q'),
    ...inputs.map(({ reduced: strides }, i) => `let o${i} = ${offsetAt(`base${i}`, strides, 'q')};`),
    text.statements,
  ].join('\n');
  const term = bool ? castExpression(text.outputs[0], 'bool', 'int32') : text.outputs[0];
  const value = reduction.indexed ? `Best(${term}, j)` : term;
  const type = reduction.indexed ? 'Best' : reduction.type;
  const lanes = combineLanes(type);
  const write = partial
    ? `${outValue}[task] = ${reduction.indexed ? 'total.value' : 'total'};${reduction.indexed ? `${outPlace}[task] = i32(total.index);` : ''}`
    : `${outValue}[${offsetAt(out!.offset, out!.strides, 'k')}] = ${reduction.indexed ? 'i32(total.index)' : 'total'};`;
  const body = `let task = ${shared ? 'group' : 'id'};
${shared ? '' : `if (task >= ${items} * ${pieces}) { return; }`}
let item = min(task % ${items}, ${items} - 1u);
let piece = task / ${items};
${coordinates('item', keptSizes, 'k')}
${bases.join('\n')}
let first = piece * ${pieceLength};
let last = min(first + ${pieceLength}, ${length});
${walkText(reduction, statements, value, shared ? 'first + lane' : 'first', 'last', shared ? `${LANES}u` : '1u')}
${shared ? lanes.body : ''}
${shared ? `if (lane == 0u && piece < ${pieces}) { ${write} }` : write}`;
  return kernelSource({
    label: `reduce ${kind}`,
    reads: bindings.reads,
    writes: bindings.writes,
    workgroup: LANES,
    head: `${reduction.source}\n${shared ? lanes.head : ''}`,
    body,
  });
}

/** The second launch: a workgroup for each item combines what its pieces gave. */
function finish(
  context: Context,
  reduction: Reduction,
  values: WebGpuBuffer,
  places: WebGpuBuffer | null,
  items: number,
  pieces: number,
  outBuffer: WebGpuBuffer,
  output: GpuView,
  isReduced: readonly boolean[],
  kept: number,
  keptShape: readonly number[],
  narrow: boolean,
): void {
  const { launcher } = context;
  const stored: Stored = reduction.indexed || reduction.type === 'i32' ? 'i32' : 'f32';
  const pipeline = launcher.pipeline(`reduce-finish ${kept} ${stored} ${reduction.source}`, () => {
    const p = new Parameters();
    const [count, parts] = p.uints(2);
    const sizes = p.uints(kept);
    const out = viewParameters(p, kept);
    const type = reduction.indexed ? 'Best' : reduction.type;
    const lanes = combineLanes(type);
    const value = reduction.indexed ? `Best(b0[j * ${count} + item], u32(b1[j * ${count} + item]))` : `b0[j * ${count} + item]`;
    return kernelSource({
      label: 'reduce, second stage',
      reads: reduction.indexed ? [reduction.type, 'i32'] : [reduction.type],
      writes: [stored],
      workgroup: LANES,
      head: `${reduction.source}\n${lanes.head}`,
      body: `let item = min(group, ${count} - 1u);
${coordinates('item', sizes, 'k')}
${walkText(reduction, '', value, 'lane', parts, `${LANES}u`)}
${lanes.body}
if (lane == 0u && group < ${count}) { b${reduction.indexed ? 2 : 1}[${offsetAt(out.offset, out.strides, 'k')}] = ${reduction.indexed ? 'i32(total.index)' : 'total'}; }`,
    });
  });
  launcher.begin().bind(values);
  if (places !== null) launcher.bind(places);
  launcher.bind(outBuffer).word(items).word(pieces);
  packShape(launcher, keptShape, kept);
  packOutput(context, output, isReduced, kept, narrow);
  launcher.launch(pipeline, items);
}
