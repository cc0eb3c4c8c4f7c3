/**
 * @file Kernels over rows: each row is walked over several times, and what is summed is shared. Short rows get an invocation each, long ones a
 * workgroup whose lanes take every n-th element; one text serves both.
 */
import { groupSum } from '../wgsl/group-sum.js';
import { kernelSource, type Parameters, type Stored } from '../wgsl/source.js';
import type { PipelineSource } from '../device/launcher.js';

/** Lanes for each row: one, or a workgroup's. */
export type Lanes = 1 | 64 | 256;

export function lanesFor(rows: number, columns: number): Lanes {
  if (columns <= 32 || (columns <= 128 && rows >= 8192)) return 1;
  return columns <= 1024 ? 64 : 256;
}

/** Workgroups for so many rows. */
export const rowGroups = (rows: number, lanes: Lanes): number => (lanes === 1 ? Math.ceil(rows / 64) : rows);

export interface RowText {
  /** A loop over the row's elements: j (u32). */
  each(body: string): string;
  /** Statements that give `variable`, a lane's sum, the whole row's. */
  sum(variable: string): string;
  max(variable: string): string;
  /** `statement` by one lane of the row only. */
  once(statement: string): string;
}

export interface RowKernel {
  readonly label: string;
  readonly reads: readonly Stored[];
  readonly writes: readonly Stored[];
  readonly head?: string;
  /** The adapter has subgroups: sums use them. */
  readonly subgroups: boolean;
}

/**
 * @param rows, columns Expressions.
 * @param body What is done with `row` (u32).
 */
export function rowKernel(kernel: RowKernel, lanes: Lanes, rows: string, columns: string, body: (text: RowText) => string): PipelineSource {
  const shared = lanes > 1;
  const text: RowText = {
    each: (inner) => `for (var j = ${shared ? 'lane' : '0u'}; j < ${columns}; j += ${lanes}u) {\n${inner}\n}`,
    sum: (variable) => (shared ? `${variable} = row_sum(lane, ${kernel.subgroups ? 'subgroup, subgroups, ' : ''}${variable});` : ''),
    max: (variable) => (shared ? `${variable} = row_max(lane, ${variable});` : ''),
    once: (statement) => (shared ? `if (lane == 0u) { ${statement} }` : statement),
  };
  const head = shared
    ? `${groupSum('f32', lanes, kernel.subgroups, 'row_sum')}
var<workgroup> lanes: array<f32, ${lanes}>;
fn row_max(lane: u32, value: f32) -> f32 {
lanes[lane] = value;
workgroupBarrier();
for (var step = ${lanes / 2}u; step > 0u; step >>= 1u) {
if (lane < step) { lanes[lane] = k_max(lanes[lane], lanes[lane + step]); }
workgroupBarrier();
}
let result = lanes[0];
workgroupBarrier();
return result;
}`
    : '';
  const statements = body(text);
  return kernelSource({
    ...kernel,
    subgroups: shared && kernel.subgroups,
    head: `${kernel.head ?? ''}\n${head}`,
    workgroup: shared ? lanes : 64,
    // A workgroup beyond the last row (where their number spilled over into y) does the last row again, to the same effect.
    body: shared ? `let row = min(group, ${rows} - 1u);\n${statements}` : `if (id >= ${rows}) { return; }\nlet row = id;\n${statements}`,
  });
}

/** Parameters of a view of rank 1 or 2: its element at expressions. */
export function viewText(p: Parameters, rank: 1 | 2): (i: string, j?: string) => string {
  const offset = p.i();
  const strides = p.ints(rank);
  return (i, j) => `u32(${offset} + i32(${i}) * ${strides[0]}${j === undefined ? '' : ` + i32(${j}) * ${strides[1]}`})`;
}
