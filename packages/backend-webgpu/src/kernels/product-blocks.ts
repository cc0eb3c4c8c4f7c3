/**
 * @file Products on adapters that compute on the CPU (SwiftShader, lavapipe): there a barrier is a switch between contexts and shared memory is no
 * faster than any other, so that each invocation computes its block of 4 x 4 from memory.
 */
import { type Context, groupsFor } from './context.js';
import { bindAll, bindingNames, bindingTypes, type Operand, type Product } from './operand.js';
import { kernelSource, Parameters } from '../wgsl/source.js';

const LANES = 64;
/** So many products are added up before they join the rest: long sums stay as exact as those of tiles. */
const CHUNK = 256;

/** Statements that give `${name}0`, … the block's four rows (columns) at k, k + 1, …: vectors over the rows (columns). */
function blockText(name: 'a' | 'b', { fours }: Operand, type: string, depth: 1 | 4): string {
  const first = name === 'a' ? 'row0' : 'column0';
  const last = name === 'a' ? 'rows - 1u' : 'columns - 1u';
  const each = (i: number): string => `min(${first} + ${i}u, ${last})`;
  if (fours === 'inner' && depth === 4) {
    const lines = [0, 1, 2, 3].map((i) => `let ${name}l${i} = ${name}_four(batch, ${each(i)}, k);`);
    const turned = ['x', 'y', 'z', 'w'].map(
      (c, i) => `let ${name}${i} = vec4f(${[0, 1, 2, 3].map((r) => `${name}l${r}.${c}`).join(', ')});`,
    );
    return [...lines, ...turned].join('\n');
  }
  return Array.from({ length: depth }, (_, i) => {
    // A block whose first row is inside is inside: their number is a multiple of four.
    if (fours === 'outer') return `let ${name}${i} = ${name}_four(batch, ${first}, k + ${i}u);`;
    const parts = [0, 1, 2, 3].map((r) => `${name}_at(${name}o${r}, ${name}i${i})`);
    return `let ${name}i${i} = ${name}_inner(batch, k + ${i}u);\nlet ${name}${i} = vec4<${type}>(${parts.join(', ')});`;
  }).join('\n');
}

/** Statements that define `${name}o0`, …: what an operand makes of each of the block's rows (columns). */
function outerText(name: 'a' | 'b'): string {
  const [first, last] = name === 'a' ? ['row0', 'rows - 1u'] : ['column0', 'columns - 1u'];
  return [0, 1, 2, 3].map((i) => `let ${name}o${i} = ${name}_outer(batch, min(${first} + ${i}u, ${last}));`).join('\n');
}

export function launchBlocks({ launcher }: Context, product: Product): void {
  const { label, type, batch, rows, columns, inner, a, b, out } = product;
  // Four steps at once only where elements come as vectors: all else would be a long text, which such a driver compiles slowly.
  const depth = inner % 4 === 0 && a.fours !== undefined && b.fours !== undefined ? 4 : 1;
  const pipeline = launcher.pipeline(`product-blocks ${type} ${depth} | ${a.key} | ${b.key} | ${out.key}`, () => {
    const p = new Parameters();
    const [all, m, n, k] = p.uints(4);
    const names = bindingNames(product);
    const head = [a.text(p, names.a), b.text(p, names.b), out.text(p, names.out)].join('\n');
    const sums = Array.from({ length: depth }, (_, i) => ['x', 'y', 'z', 'w'].map((c, r) => `t${r} += a${i}.${c} * b${i};`).join(' ')).join(
      '\n',
    );
    return kernelSource({
      label: `${label}, blocks`,
      ...bindingTypes(product),
      workgroup: LANES,
      head,
      body: `if (id >= ${all}) { return; }
let rows = ${m};
let columns = ${n};
let across = (columns + 3u) / 4u;
let down = (rows + 3u) / 4u;
let column0 = (id % across) * 4u;
let row0 = ((id / across) % down) * 4u;
let batch = id / (across * down);
${outerText('a')}
${outerText('b')}
${[0, 1, 2, 3].map((r) => `var s${r} = vec4<${type}>();`).join(' ')}
for (var k0 = 0u; k0 < ${k}; k0 += ${CHUNK}u) {
${[0, 1, 2, 3].map((r) => `var t${r} = vec4<${type}>();`).join(' ')}
for (var k = k0; k < min(k0 + ${CHUNK}u, ${k}); k += ${depth}u) {
${blockText('a', a, type, depth)}
${blockText('b', b, type, depth)}
${sums}
}
${[0, 1, 2, 3].map((r) => `s${r} += t${r};`).join(' ')}
}
var block = array<vec4<${type}>, 4>(s0, s1, s2, s3);
for (var i = 0u; i < min(4u, rows - row0); i++) { for (var j = 0u; j < min(4u, columns - column0); j++) { store(batch, row0 + i, column0 + j, block[i][j]); } }`,
    });
  });
  bindAll(launcher, product);
  const all = batch * Math.ceil(rows / 4) * Math.ceil(columns / 4);
  launcher.word(all).word(rows).word(columns).word(inner);
  for (const operand of [a, b, out]) operand.pack(launcher);
  launcher.launch(pipeline, groupsFor(all, LANES));
}
