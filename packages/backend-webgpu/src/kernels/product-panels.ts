/** @file How a workgroup fills the panels of a product: slices of its operands in shared memory, masked at the edges. */
import type { Operand } from './operand.js';

export interface Panel {
  readonly name: 'a' | 'b';
  /** Rows of a, columns of b. A multiple of four. */
  readonly width: number;
  readonly depth: number;
  /** Invocations that fill it. */
  readonly lanes: number;
  readonly type: 'f32' | 'i32';
  readonly operand: Operand;
  /** Do neighbouring rows (columns) lie closer together than neighbouring k? */
  readonly acrossFirst: boolean;
  /** A statement that stores the vector `value`: rows (columns) 4 · quad and on at `k` of the panel, all of them expressions. */
  readonly store: (k: string, quad: string, value: string) => string;
}

/**
 * Fills a panel: each invocation loads four neighbouring rows (or columns) for one k, and stores them as one vector. `before`: what it computes
 * once, for each of its rows. Loops of a constant length rather than their bodies several times: a GPU's compiler unrolls them, and one on the
 * CPU compiles them in a fraction of the time.
 */
export function fillText(panel: Panel): { readonly before: string; readonly fill: string } {
  if (panel.operand.fours !== undefined) return { before: '', fill: fillByFours(panel, panel.operand.fours) };
  const { name, width, depth, lanes, type, acrossFirst, store } = panel;
  const quads = width / 4;
  const total = quads * depth;
  const items = Math.ceil(total / lanes);
  const [start, limit] = name === 'a' ? ['row0', 'rows'] : ['column0', 'columns'];
  // Neighbouring lanes take neighbouring rows or neighbouring k. Along rows a lane keeps its rows for all its items.
  const sameRows = items === 1 || (acrossFirst && lanes % quads === 0);
  const place = (e: string): string =>
    acrossFirst ? `let q = ${e} % ${quads}u; let kk = ${e} / ${quads}u;` : `let q = ${e} / ${depth}u; let kk = ${e} % ${depth}u;`;
  const count = sameRows ? 1 : items;
  const before = `var outer_${name}: array<vec4i, ${4 * count}>;
for (var item = 0u; item < ${count}u; item++) {
let e = lane + item * ${lanes}u;
${place('e')}
for (var i = 0u; i < 4u; i++) { outer_${name}[item * 4u + i] = ${name}_outer(batch, min(${start} + q * 4u + i, ${limit} - 1u)); }
}`;
  const fill = `for (var item = 0u; item < ${items}u; item++) {
let e = lane + item * ${lanes}u;
${total % lanes === 0 ? '{' : `if (e < ${total}u) {`}
${place('e')}
let k = k0 + kk;
var v = vec4<${type}>();
if (k < end) {
let inner = ${name}_inner(batch, k);
for (var i = 0u; i < 4u; i++) {
if (${start} + q * 4u + i < ${limit}) { v[i] = ${name}_at(outer_${name}[${sameRows ? '' : 'item * 4u + '}i], inner); }
}
}
${store('kk', 'q', 'v')}
}
}`;
  return { before, fill };
}

/** The same in vectors of four neighbours: four neighbouring rows at one k, or four rows by four k, turned in registers. */
function fillByFours({ name, width, depth, lanes, store }: Panel, fours: 'outer' | 'inner'): string {
  const quads = width / 4;
  const [start, limit] = name === 'a' ? ['row0', 'rows'] : ['column0', 'columns'];
  const deep = fours === 'inner' ? depth / 4 : depth;
  const total = quads * deep;
  const place =
    fours === 'inner' ? `let q = e / ${deep}u; let kk = (e % ${deep}u) * 4u;` : `let q = e % ${quads}u; let kk = e / ${quads}u;`;
  const turned = ['x', 'y', 'z', 'w'].map((c, i) => store(`kk + ${i}u`, 'q', `vec4f(m0.${c}, m1.${c}, m2.${c}, m3.${c})`)).join('\n');
  const block = [0, 1, 2, 3].map((i) => `m${i} = ${name}_four(batch, min(${start} + q * 4u + ${i}u, ${limit} - 1u), k);`).join('\n');
  // The two panels are filled by different lanes where they do not need all.
  const first = name === 'b' && total * 2 <= lanes ? `(lane + ${lanes / 2}u) % ${lanes}u` : 'lane';
  return `for (var item = 0u; item < ${Math.ceil(total / lanes)}u; item++) {
let e = ${first} + item * ${lanes}u;
${total % lanes === 0 ? '{' : `if (e < ${total}u) {`}
${place}
let k = k0 + kk;
${
  fours === 'inner'
    ? `var m0 = vec4f(); var m1 = vec4f(); var m2 = vec4f(); var m3 = vec4f();
if (k < end) {
${block}
}
${turned}`
    : `var v = vec4f();
if (k < end && ${start} + q * 4u < ${limit}) { v = ${name}_four(batch, ${start} + q * 4u, k); }
${store('kk', 'q', 'v')}`
}
}
}`;
}
