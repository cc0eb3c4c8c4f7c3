/**
 * @file Products by matrix units, where the adapter has them and they are switched on. Four subgroups compute a tile of 64 x 64, each a quarter, from
 * panels in shared memory. Edges are masked as the panels are filled and as sums are stored, which go through shared memory too. K is split as that of tiles.
 */
import { type MatrixUnit, matrixText, unitName } from '../wgsl/matrix-unit.js';
import { kernelSource, Parameters } from '../wgsl/source.js';
import type { Context } from './context.js';
import { bindingNames, bindingTypes, bindOperands, bindResult, type Operand, type Product } from './operand.js';
import { fillText } from './product-panels.js';
import { addParts, splitInner } from './product-parts.js';

const TILE = 64;
/** A subgroup's part of a tile: two by two of them. */
const QUARTER = 32;
/** Depth of panels, and what lies between their lines so that these begin in different banks, at multiples of 16 bytes. */
const DEPTH = { f16: 32, f32: 16 } as const;
const GAP = { f16: 8, f32: 4 } as const;

/** Does a tile come out even with matrices of these sizes? */
export const dividesTile = ({ component, M, N, K }: Pick<MatrixUnit, 'component' | 'M' | 'N' | 'K'>): boolean =>
  QUARTER % M === 0 && QUARTER % N === 0 && DEPTH[component] % K === 0;

export const workgroupOf = ({ lanes }: MatrixUnit): number => 4 * lanes;

/** Bytes of shared memory. */
export const storageOf = ({ component, M, N }: MatrixUnit): number =>
  2 * DEPTH[component] * (TILE + GAP[component]) * (component === 'f16' ? 2 : 4) + 4 * M * N * 4;

/** The unit that such a product can be given to, and gains by. What is float32 never becomes float16. */
export function unitFor(units: readonly MatrixUnit[], { type, rows, columns, inner, a, b }: Product): MatrixUnit | undefined {
  if (units.length === 0 || type !== 'f32' || rows <= QUARTER || columns <= QUARTER) return undefined;
  const halves = a.halves === true && b.halves === true;
  const unit =
    (halves ? units.find(({ component }) => component === 'f16') : undefined) ?? units.find(({ component }) => component === 'f32');
  return unit === undefined || inner < DEPTH[unit.component] ? undefined : unit;
}

export function launchMatrices(context: Context, product: Product, unit: MatrixUnit): void {
  const { launcher } = context;
  const { batch, rows, columns, inner, a, b, out, aRowsFast, bColumnsFast } = product;
  const tilesDown = Math.ceil(rows / TILE);
  const tilesAcross = Math.ceil(columns / TILE);
  const tiles = tilesDown * tilesAcross * batch;
  const { parts, perPart } = splitInner(tiles, inner, DEPTH[unit.component]);
  const split = parts > 1;
  const partials = split ? context.scratch('float32', parts * batch * rows * columns) : null;
  const kind = `${unitName(unit)} ${unit.lanes} ${unit.form} ${unit.pinned},${aRowsFast},${bColumnsFast}`;
  const pipeline = launcher.pipeline(`product-matrices ${kind} ${split} | ${a.key} | ${b.key} | ${split ? '' : out.key}`, () => {
    const p = new Parameters();
    const names = ['rows', 'columns', 'inner', 'perPart', 'parts', 'tilesDown', 'tilesAcross', 'batches'];
    const values = p.uints(names.length);
    const bound = bindingNames(product);
    const operands = [...a.stored, ...b.stored];
    const { enables, directives, attributes, subgroups, head } = matrixText(unit);
    return kernelSource({
      label: `${product.label}, matrix units`,
      ...(split ? { reads: operands, writes: ['f32'] } : bindingTypes(product)),
      workgroup: workgroupOf(unit),
      enables,
      directives,
      attributes,
      subgroups,
      head: [a.text(p, bound.a), b.text(p, bound.b), split ? '' : out.text(p, bound.out), panelsText(unit), head].join('\n'),
      body: `${names.map((n, i) => `let ${n} = ${values[i]};`).join('\n')}\n${tileText(product, unit, split ? `b${operands.length}` : null)}`,
    });
  });
  bindOperands(launcher, product);
  if (split) launcher.bind(partials!);
  else bindResult(launcher, out);
  launcher.word(rows).word(columns).word(inner).word(perPart).word(parts).word(tilesDown).word(tilesAcross).word(batch);
  a.pack(launcher);
  b.pack(launcher);
  if (!split) out.pack(launcher);
  launcher.launch(pipeline, tiles * parts);
  if (split) addParts(context, product, partials!, parts);
}

/** Panels lie by k, and within a k by rows (columns): the left one is column by column, the right one row by row. */
function panelsText({ component, M, N }: MatrixUnit): string {
  const size = DEPTH[component] * (TILE + GAP[component]);
  const fill = (name: 'a' | 'b'): string => `var<workgroup> panel_${name}: array<${component}, ${size}>;
fn fill_${name}(at: u32, v: vec4f) { for (var i = 0u; i < 4u; i++) { panel_${name}[at + i] = ${component}(v[i]); } }`;
  return `${fill('a')}\n${fill('b')}\nvar<workgroup> results: array<f32, ${4 * M * N}>;`;
}

/** `partials`: the binding that takes parts of sums, or null where results are stored. */
function tileText({ a, b, aRowsFast, bColumnsFast }: Product, unit: MatrixUnit, partials: string | null): string {
  const { component, M, N, K } = unit;
  const depth = DEPTH[component];
  const stride = TILE + GAP[component];
  const lanes = workgroupOf(unit);
  const text = matrixText(unit);
  const down = Array.from({ length: QUARTER / M }, (_, r) => r);
  const across = Array.from({ length: QUARTER / N }, (_, c) => c);
  const fill = (name: 'a' | 'b', operand: Operand, acrossFirst: boolean): ReturnType<typeof fillText> =>
    fillText({
      name,
      width: TILE,
      depth,
      lanes,
      type: 'f32',
      operand,
      acrossFirst,
      store: (k, quad, value) => `fill_${name}((${k}) * ${stride}u + ${quad} * 4u, ${value});`,
    });
  const fillA = fill('a', a, aRowsFast);
  const fillB = fill('b', b, bColumnsFast);
  const lefts = down.map((r) => {
    const at = `kk * ${stride}u + quarter_row + ${r * M}u`;
    return `let l${r} = ${text.load('left', { panel: 'panel_a', at, stride, columns: true })};`;
  });
  const rights = across.map((c) => {
    const at = `kk * ${stride}u + quarter_column + ${c * N}u`;
    return `let r${c} = ${text.load('right', { panel: 'panel_b', at, stride, columns: false })};`;
  });
  const each = (piece: (r: number, c: number) => string): string => down.flatMap((r) => across.map((c) => piece(r, c))).join('\n');
  const value =
    partials === null
      ? 'store(batch, row, column, value);'
      : `${partials}[((part * batches + batch) * rows + row) * columns + column] = value;`;
  return `${text.before}
let tilesEach = tilesDown * tilesAcross;
let task = group / tilesEach;
let part = task % parts;
let batch = min(task / parts, batches - 1u);
let valid = task / parts < batches;
let row0 = ((group % tilesEach) / tilesAcross) * ${TILE}u;
let column0 = (group % tilesAcross) * ${TILE}u;
let quarter_row = (subgroup / 2u) * ${QUARTER}u;
let quarter_column = (subgroup % 2u) * ${QUARTER}u;
let begin = part * perPart;
let end = min(begin + perPart, inner);
${fillA.before}
${fillB.before}
${each((r, c) => `var s${r}_${c} = ${text.zero};`)}
for (var k0 = begin; k0 < end; k0 += ${depth}u) {
${fillA.fill}
${fillB.fill}
workgroupBarrier();
for (var kk = 0u; kk < ${depth}u; kk += ${K}u) {
${[...lefts, ...rights].join('\n')}
${each((r, c) => text.multiply(`s${r}_${c}`, `l${r}`, `r${c}`))}
}
workgroupBarrier();
}
${each(
  (r, c) => `${text.store({ panel: 'results', at: `subgroup * ${M * N}u`, stride: N, columns: false }, `s${r}_${c}`)}
workgroupBarrier();
for (var e = lane; e < ${4 * M * N}u; e += ${lanes}u) {
let owner = e / ${M * N}u;
let row = row0 + (owner / 2u) * ${QUARTER}u + ${r * M}u + (e / ${N}u) % ${M}u;
let column = column0 + (owner % 2u) * ${QUARTER}u + ${c * N}u + e % ${N}u;
let value = results[e];
if (row < rows && column < columns && valid) { ${value} }
}
workgroupBarrier();`,
)}`;
}
