/**
 * @file Tiled products. Workgroups compute tiles from panels in shared memory, invocations blocks of 4 x 4 or 8 x 8 in registers; edges are masked.
 * Where tiles are too few to fill a GPU, K is split and the parts are added in a second launch, always in the same order.
 */
import { type Context, groupsFor, WORKGROUP } from './context.js';
import {
  bindingNames,
  bindingTypes,
  bindOperands,
  bindResult,
  type Operand,
  type Product,
  resultBindings,
  resultNames,
} from './operand.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { kernelSource, Parameters } from '../wgsl/source.js';

interface Tile {
  /** Invocations along rows and columns. */
  readonly down: number;
  readonly across: number;
  /** Blocks of 4 rows, and of 4 columns, of an invocation. */
  readonly rowBlocks: number;
  readonly columnBlocks: number;
  /** Depth of a panel. */
  readonly depth: number;
}

const SQUARE: Tile = { down: 16, across: 16, rowBlocks: 1, columnBlocks: 1, depth: 16 };
const LARGE: Tile = { down: 16, across: 16, rowBlocks: 2, columnBlocks: 2, depth: 8 };
const FLAT: Tile = { down: 4, across: 16, rowBlocks: 1, columnBlocks: 1, depth: 16 };
const TALL: Tile = { down: 16, across: 4, rowBlocks: 1, columnBlocks: 1, depth: 16 };
const HALF: Tile = { down: 8, across: 16, rowBlocks: 1, columnBlocks: 1, depth: 16 };
const SMALL: Tile = { down: 8, across: 8, rowBlocks: 1, columnBlocks: 1, depth: 16 };

/** Workgroups that keep a large GPU busy. */
const ENOUGH_GROUPS = 192;
/** What one part of a split K has at least. */
const PART = 256;

const tileRows = (tile: Tile): number => tile.down * tile.rowBlocks * 4;
const tileColumns = (tile: Tile): number => tile.across * tile.columnBlocks * 4;

function chooseTile(rows: number, columns: number, batch: number): Tile {
  if (rows <= 16) return columns <= 32 ? SMALL : FLAT;
  if (columns <= 16) return rows <= 32 ? SMALL : TALL;
  if (rows <= 32) return columns <= 32 ? SMALL : HALF;
  const large = Math.ceil(rows / 128) * Math.ceil(columns / 128) * batch;
  return large >= 2 * ENOUGH_GROUPS ? LARGE : SQUARE;
}

export function launchTiles(context: Context, product: Product): void {
  const { launcher } = context;
  const { batch, rows, columns, inner, type, a, b, out, aRowsFast, bColumnsFast } = product;
  const tile = chooseTile(rows, columns, batch);
  const tilesDown = Math.ceil(rows / tileRows(tile));
  const tilesAcross = Math.ceil(columns / tileColumns(tile));
  const tiles = tilesDown * tilesAcross * batch;
  let parts = 1;
  if (tiles < ENOUGH_GROUPS && inner >= 2 * PART) parts = Math.min(Math.ceil(inner / PART), Math.ceil(ENOUGH_GROUPS / tiles), 64);
  const perPart = Math.ceil(Math.ceil(inner / parts) / tile.depth) * tile.depth;
  parts = Math.ceil(inner / perPart);
  const split = parts > 1;
  const partials = split ? context.scratch(type === 'f32' ? 'float32' : 'int32', parts * batch * rows * columns) : null;

  const shape = `${tile.down},${tile.across},${tile.rowBlocks},${tile.depth},${aRowsFast},${bColumnsFast}`;
  const pipeline = launcher.pipeline(`product ${type} ${shape} ${split} | ${a.key} | ${b.key} | ${split ? '' : out.key}`, () => {
    const p = new Parameters();
    const names = ['rows', 'columns', 'inner', 'perPart', 'parts', 'tilesDown', 'tilesAcross', 'batches'];
    const values = p.uints(names.length);
    const bound = bindingNames(product);
    const operands = [...a.stored, ...b.stored];
    const head = [a.text(p, bound.a), b.text(p, bound.b), split ? '' : out.text(p, bound.out)].join('\n');
    return kernelSource({
      label: product.label,
      ...(split ? { reads: operands, writes: [type] } : bindingTypes(product)),
      workgroup: tile.down * tile.across,
      head: `${head}\n${panels(tile, type)}`,
      body: `${names.map((n, i) => `let ${n} = ${values[i]};`).join('\n')}\n${tileText(tile, product, split ? `b${operands.length}` : null)}`,
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

function panels(tile: Tile, type: string): string {
  return `var<workgroup> panel_a: array<vec4<${type}>, ${(tile.depth * tileRows(tile)) / 4}>;
var<workgroup> panel_b: array<vec4<${type}>, ${(tile.depth * tileColumns(tile)) / 4}>;`;
}

/**
 * Fills a panel: each invocation loads four neighbouring rows (or columns) for one k, and stores them as one vector. `before`: what it computes
 * once, for each of its rows. Loops of a constant length rather than their bodies several times: a GPU's compiler unrolls them, and one on the
 * CPU compiles them in a fraction of the time.
 */
function fillText(
  panel: 'a' | 'b',
  width: number,
  tile: Tile,
  acrossFirst: boolean,
  type: string,
  fours: Operand['fours'],
): { before: string; fill: string } {
  if (fours !== undefined) return { before: '', fill: fillByFours(panel, width, tile, fours) };
  const lanes = tile.down * tile.across;
  const quads = width / 4;
  const total = quads * tile.depth;
  const items = Math.ceil(total / lanes);
  const [start, limit] = panel === 'a' ? ['row0', 'rows'] : ['column0', 'columns'];
  // Neighbouring lanes take neighbouring rows or neighbouring k. Along rows a lane keeps its rows for all its items.
  const sameRows = items === 1 || (acrossFirst && lanes % quads === 0);
  const place = (e: string): string =>
    acrossFirst ? `let q = ${e} % ${quads}u; let kk = ${e} / ${quads}u;` : `let q = ${e} / ${tile.depth}u; let kk = ${e} % ${tile.depth}u;`;
  const count = sameRows ? 1 : items;
  const before = `var outer_${panel}: array<vec4i, ${4 * count}>;
for (var item = 0u; item < ${count}u; item++) {
let e = lane + item * ${lanes}u;
${place('e')}
for (var i = 0u; i < 4u; i++) { outer_${panel}[item * 4u + i] = ${panel}_outer(batch, min(${start} + q * 4u + i, ${limit} - 1u)); }
}`;
  const fill = `for (var item = 0u; item < ${items}u; item++) {
let e = lane + item * ${lanes}u;
${total % lanes === 0 ? '{' : `if (e < ${total}u) {`}
${place('e')}
let k = k0 + kk;
var v = vec4<${type}>();
if (k < end) {
let inner = ${panel}_inner(batch, k);
for (var i = 0u; i < 4u; i++) {
if (${start} + q * 4u + i < ${limit}) { v[i] = ${panel}_at(outer_${panel}[${sameRows ? '' : 'item * 4u + '}i], inner); }
}
}
panel_${panel}[kk * ${quads}u + q] = v;
}
}`;
  return { before, fill };
}

/** The same in vectors of four neighbours: four neighbouring rows at one k, or four rows by four k, turned in registers. */
function fillByFours(panel: 'a' | 'b', width: number, tile: Tile, fours: 'outer' | 'inner'): string {
  const lanes = tile.down * tile.across;
  const quads = width / 4;
  const [start, limit] = panel === 'a' ? ['row0', 'rows'] : ['column0', 'columns'];
  const deep = fours === 'inner' ? tile.depth / 4 : tile.depth;
  const total = quads * deep;
  const place =
    fours === 'inner' ? `let q = e / ${deep}u; let kk = (e % ${deep}u) * 4u;` : `let q = e % ${quads}u; let kk = e / ${quads}u;`;
  const store = (at: string, value: string): string => `panel_${panel}[(${at}) * ${quads}u + q] = ${value};`;
  const turned = ['x', 'y', 'z', 'w'].map((c, i) => store(`kk + ${i}u`, `vec4f(m0.${c}, m1.${c}, m2.${c}, m3.${c})`)).join('\n');
  const block = [0, 1, 2, 3].map((i) => `m${i} = ${panel}_four(batch, min(${start} + q * 4u + ${i}u, ${limit} - 1u), k);`).join('\n');
  // The two panels are filled by different lanes where they do not need all.
  const first = panel === 'b' && total * 2 <= lanes ? `(lane + ${lanes / 2}u) % ${lanes}u` : 'lane';
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
if (k < end && ${start} + q * 4u < ${limit}) { v = ${panel}_four(batch, ${start} + q * 4u, k); }
${store('kk', 'v')}`
}
}
}`;
}

/** `partials`: the binding that takes parts of sums, or null where results are stored. */
function tileText(tile: Tile, { type, a, b, aRowsFast, bColumnsFast }: Product, partials: string | null): string {
  const { down, across, rowBlocks, columnBlocks, depth } = tile;
  const blocks: string[] = [];
  const sums: string[] = [];
  const stores: string[] = [];
  for (let r = 0; r < rowBlocks; r++)
    for (let c = 0; c < columnBlocks; c++) {
      const names = [0, 1, 2, 3].map((i) => `s${r}${c}${i}`);
      names.forEach((name, i) => {
        blocks.push(`var ${name} = vec4<${type}>();`);
        sums.push(`${name} += a${r}.${'xyzw'[i]} * q${c};`);
      });
      const store =
        partials === null
          ? 'store(batch, row, column, block[i][j]);'
          : `${partials}[((part * batches + batch) * rows + row) * columns + column] = block[i][j];`;
      stores.push(`{
var block = array<vec4<${type}>, 4>(${names.join(', ')});
for (var i = 0u; i < 4u; i++) { for (var j = 0u; j < 4u; j++) {
let row = row0 + (ty + ${r * down}u) * 4u + i;
let column = column0 + (tx + ${c * across}u) * 4u + j;
if (row < rows && column < columns && valid) { ${store} }
} }
}`);
    }
  const fillA = fillText('a', tileRows(tile), tile, aRowsFast, type, a.fours);
  const fillB = fillText('b', tileColumns(tile), tile, bColumnsFast, type, b.fours);
  return `let tilesEach = tilesDown * tilesAcross;
let task = group / tilesEach;
let part = task % parts;
let batch = min(task / parts, batches - 1u);
let valid = task / parts < batches;
let row0 = ((group % tilesEach) / tilesAcross) * ${tileRows(tile)}u;
let column0 = (group % tilesAcross) * ${tileColumns(tile)}u;
let tx = lane % ${across}u;
let ty = lane / ${across}u;
let begin = part * perPart;
let end = min(begin + perPart, inner);
${fillA.before}
${fillB.before}
${blocks.join('\n')}
for (var k0 = begin; k0 < end; k0 += ${depth}u) {
${fillA.fill}
${fillB.fill}
workgroupBarrier();
for (var kk = 0u; kk < ${depth}u; kk++) {
${Array.from({ length: rowBlocks }, (_, r) => `let a${r} = panel_a[kk * ${tileRows(tile) / 4}u + ty + ${r * down}u];`).join('\n')}
${Array.from({ length: columnBlocks }, (_, c) => `let q${c} = panel_b[kk * ${tileColumns(tile) / 4}u + tx + ${c * across}u];`).join('\n')}
${sums.join('\n')}
}
workgroupBarrier();
}
${stores.join('\n')}`;
}

/** The second launch: each invocation adds the parts of an element and stores it. */
function addParts(context: Context, { label, type, batch, rows, columns, out }: Product, partials: WebGpuBuffer, parts: number): void {
  const { launcher } = context;
  const total = batch * rows * columns;
  const pipeline = launcher.pipeline(`product-parts ${type} ${out.key}`, () => {
    const p = new Parameters();
    const [all, count, m, n] = p.uints(4);
    const { reads, writes } = resultBindings(out);
    return kernelSource({
      label: `${label}, parts`,
      reads: [type, ...reads.stored],
      writes: writes.stored,
      workgroup: WORKGROUP,
      head: out.text(p, resultNames(out, 1)),
      body: `if (id >= ${all}) { return; }
var sum = b0[id];
for (var part = 1u; part < ${count}; part++) { sum += b0[part * ${all} + id]; }
store(id / (${m} * ${n}), (id / ${n}) % ${m}, id % ${n}, sum);`,
    });
  });
  launcher.begin().bind(partials);
  bindResult(launcher, out);
  launcher.word(total).word(parts).word(rows).word(columns);
  out.pack(launcher);
  launcher.launch(pipeline, groupsFor(total));
}
