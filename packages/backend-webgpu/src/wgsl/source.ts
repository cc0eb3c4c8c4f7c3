/**
 * @file How kernels' sources are put together. Bindings b0, b1, … are typed by what is stored; parameters are words that the code reads by
 * their place: `p(3)` is a u32, `i(3)` an i32, `f(3)` a float.
 */
import type { PipelineSource } from '../device/launcher.js';
import { withFunctions } from './functions.js';

/** What a binding holds. 'atomic': words that several invocations may change; 'f32x4' and so on: vectors; 'f16': where the adapter has shader-f16. */
export type Stored = 'f32' | 'i32' | 'u32' | 'atomic' | 'f16' | 'f32x4' | 'f16x4' | 'u32x2';

/** The place of the next parameter, for code that is generated in the order in which parameters are packed. */
export class Parameters {
  count = 0;

  u(): string {
    return word(this.count++);
  }

  i(): string {
    return `i32(${word(this.count++)})`;
  }

  f(): string {
    return `bitcast<f32>(${word(this.count++)})`;
  }

  ints(count: number): string[] {
    return Array.from({ length: count }, () => this.i());
  }

  uints(count: number): string[] {
    return Array.from({ length: count }, () => this.u());
  }
}

/** A parameter by its place. */
export const word = (place: number): string => `P[${place >> 2}].${'xyzw'[place & 3]}`;

export interface KernelText {
  readonly label: string;
  readonly reads: readonly Stored[];
  readonly writes: readonly Stored[];
  readonly workgroup: number;
  /** Uses subgroup operations: `body` has the number of its lane's subgroup, `subgroup`, and how many there are, `subgroups`. Default false. */
  readonly subgroups?: boolean;
  /** Extensions, besides those that follow from the above; directives after them; attributes of `main`. */
  readonly enables?: readonly string[];
  readonly directives?: readonly string[];
  readonly attributes?: readonly string[];
  /** Declarations at module level: shared arrays, functions. */
  readonly head?: string;
  /** Of `main`: `group` is the number of the workgroup, `z` its third coordinate, `lane` the invocation in it, `id` = group · workgroup + lane. */
  readonly body: string;
}

const TYPES: { readonly [S in Stored]: string } = {
  f32: 'f32',
  i32: 'i32',
  u32: 'u32',
  atomic: 'atomic<u32>',
  f16: 'f16',
  f32x4: 'vec4f',
  f16x4: 'vec4h',
  u32x2: 'vec2u',
};

/** The whole source. Library functions that it calls come with it. */
export function kernelSource(kernel: KernelText): PipelineSource {
  const { label, reads, writes, workgroup, subgroups = false, enables = [], directives = [], attributes = [], head = '', body } = kernel;
  const bindings = [
    ...reads.map((type, i) => `@group(0) @binding(${i}) var<storage, read> b${i}: array<${TYPES[type]}>;`),
    ...writes.map(
      (type, i) => `@group(0) @binding(${reads.length + i}) var<storage, read_write> b${reads.length + i}: array<${TYPES[type]}>;`,
    ),
    `@group(0) @binding(${reads.length + writes.length}) var<uniform> P: array<vec4u, 64>;`,
  ];
  const enabled = new Set([
    ...(subgroups ? ['subgroups'] : []),
    ...(reads.some((type) => type.startsWith('f16')) ? ['f16'] : []),
    ...enables,
  ]);
  const lanes = subgroups ? ', @builtin(subgroup_id) subgroup: u32, @builtin(num_subgroups) subgroups: u32' : '';
  const code = `${bindings.join('\n')}
${head}
${['@compute', `@workgroup_size(${workgroup})`, ...attributes].join(' ')}
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) lane: u32${lanes}) {
let group = w.x + w.y * nw.x;
let z = w.z;
let id = group * ${workgroup}u + lane;
${body}
}
`;
  return {
    label,
    reads: reads.length,
    writes: writes.length,
    code: `${[...enabled].map((name) => `enable ${name};\n`).join('')}${directives.map((line) => `${line};\n`).join('')}${withFunctions(code)}`,
  };
}
