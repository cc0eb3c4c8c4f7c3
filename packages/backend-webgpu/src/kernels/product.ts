/**
 * @file Matrix products, as a family: whatever says how to load a(row, k) and b(k, column) and how to store an element gets a tiled kernel.
 * Workgroups compute tiles from panels in shared memory, invocations blocks of 4 x 4 or 8 x 8 in registers; edges are masked. Where tiles are
 * too few to fill a GPU, K is split and the parts are added in a second launch, always in the same order.
 */
import type { Context } from './context.js';
import { groupsFor, WORKGROUP } from './context.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import type { Launcher } from '../device/launcher.js';
import { kernelSource, Parameters, type Stored } from '../wgsl/source.js';

/**
 * A part of a product: what it binds, packs and declares. An operand `x` declares three functions, so that what depends on the row (column)
 * alone is computed once, and what depends on k alone once for four rows:
 * `x_outer(batch: u32, index: u32) -> vec4i`, `x_inner(batch: u32, k: u32) -> vec4i` and `x_at(outer: vec4i, inner: vec4i)`, the element.
 * The result declares `store(batch: u32, row: u32, column: u32, value)`.
 */
export interface Operand {
  readonly buffers: readonly WebGpuBuffer[];
  readonly stored: readonly Stored[];
  /** All that the source depends on. */
  readonly key: string;
  pack(launcher: Launcher): void;
  /** The source of its function, and those that it needs. `bindings` are the names of its buffers. */
  text(parameters: Parameters, bindings: readonly string[]): string;
}

export interface Product {
  readonly label: string;
  readonly type: 'f32' | 'i32';
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** Declares a_outer (of a row), a_inner, a_at. */
  readonly a: Operand;
  /** Declares b_outer (of a column), b_inner, b_at. */
  readonly b: Operand;
  /** Do neighbouring rows of a (columns of b) lie closer together than neighbouring k? */
  readonly aRowsFast: boolean;
  readonly bColumnsFast: boolean;
  /** Declares store; its first buffer is written. */
  readonly out: Operand;
}

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

/** Products with at most so many elements, and K at least so long, are dot products of a workgroup each. */
const FEW = 1024;
const LONG = 128;
const DOT_LANES = 64;

export function launchProduct(context: Context, product: Product): void {
  const { batch, rows, columns, inner, aRowsFast, bColumnsFast } = product;
  const kFast = (!aRowsFast || rows === 1) && (!bColumnsFast || columns === 1);
  if (batch * rows * columns <= FEW && inner >= LONG && kFast) launchSimple(context, product, 'dots');
  else if ((rows < 4 || columns < 4) && inner < LONG) launchSimple(context, product, 'each');
  else launchTiles(context, product);
}

/** The names of the bindings: those of a, of b, of what a store reads; the result's is the last. */
function bindingNames({ a, b, out }: Product): { a: string[]; b: string[]; out: string[] } {
  const at = (first: number, count: number): string[] => Array.from({ length: count }, (_, i) => `b${first + i}`);
  const n = a.stored.length + b.stored.length;
  const more = out.stored.length - 1;
  return { a: at(0, a.stored.length), b: at(a.stored.length, b.stored.length), out: [`b${n + more}`, ...at(n, more)] };
}

function bindAll(launcher: Launcher, { a, b, out }: Product): void {
  launcher.begin();
  for (const operand of [a, b]) for (const buffer of operand.buffers) launcher.bind(buffer);
  for (const buffer of out.buffers.slice(1)) launcher.bind(buffer);
  launcher.bind(out.buffers[0]);
}

/** An element of the result for each invocation ('each'), or for each workgroup, whose lanes share K ('dots'). */
function launchSimple({ launcher }: Context, product: Product, form: 'each' | 'dots'): void {
  const { label, type, batch, rows, columns, inner, a, b, out } = product;
  const shared = form === 'dots';
  const pipeline = launcher.pipeline(`product-${form} ${type} | ${a.key} | ${b.key} | ${out.key}`, () => {
    const p = new Parameters();
    const [all, m, n, k] = p.uints(4);
    const names = bindingNames(product);
    const head = [a.text(p, names.a), b.text(p, names.b), out.text(p, names.out)].join('\n');
    return kernelSource({
      label: `${label}, ${shared ? 'dot products' : 'one by one'}`,
      reads: [...a.stored, ...b.stored, ...out.stored.slice(1)],
      writes: [out.stored[0]],
      workgroup: shared ? DOT_LANES : WORKGROUP,
      head: `${head}\n${shared ? `var<workgroup> lanes: array<${type}, ${DOT_LANES}>;` : ''}`,
      body: `${shared ? '' : `if (id >= ${all}) { return; }`}
let task = ${shared ? `min(group, ${all} - 1u)` : 'id'};
let column = task % ${n};
let row = (task / ${n}) % ${m};
let batch = task / (${m} * ${n});
var sum = ${type}();
let outer_a = a_outer(batch, row);
let outer_b = b_outer(batch, column);
for (var t = ${shared ? 'lane' : '0u'}; t < ${k}; t += ${shared ? DOT_LANES : 1}u) { sum += a_at(outer_a, a_inner(batch, t)) * b_at(outer_b, b_inner(batch, t)); }
${
  shared
    ? `lanes[lane] = sum;
workgroupBarrier();
for (var step = ${DOT_LANES / 2}u; step > 0u; step >>= 1u) {
if (lane < step) { lanes[lane] += lanes[lane + step]; }
workgroupBarrier();
}
if (lane == 0u && group < ${all}) { store(batch, row, column, lanes[0]); }`
    : 'store(batch, row, column, sum);'
}`,
    });
  });
  bindAll(launcher, product);
  const all = batch * rows * columns;
  launcher.word(all).word(rows).word(columns).word(inner);
  for (const operand of [a, b, out]) operand.pack(launcher);
  launcher.launch(pipeline, shared ? all : groupsFor(all));
}

function launchTiles(context: Context, product: Product): void {
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
    const storeReads = split ? [] : out.stored.slice(1);
    const reads = [...a.stored, ...b.stored, ...storeReads];
    const name = (i: number): string => `b${i}`;
    const aNames = a.stored.map((_, i) => name(i));
    const bNames = b.stored.map((_, i) => name(a.stored.length + i));
    const outNames = [name(reads.length), ...storeReads.map((_, i) => name(a.stored.length + b.stored.length + i))];
    const head = [a.text(p, aNames), b.text(p, bNames), split ? '' : out.text(p, outNames)].join('\n');
    return kernelSource({
      label: product.label,
      reads,
      writes: [split ? type : out.stored[0]],
      workgroup: tile.down * tile.across,
      head: `${head}\n${panels(tile, type)}`,
      body: `${names.map((n, i) => `let ${n} = ${values[i]};`).join('\n')}\n${tileText(tile, type, aRowsFast, bColumnsFast, split ? outNames[0] : null)}`,
    });
  });
  launcher.begin();
  for (const operand of [a, b]) for (const buffer of operand.buffers) launcher.bind(buffer);
  if (split) launcher.bind(partials!);
  else {
    for (const buffer of out.buffers.slice(1)) launcher.bind(buffer);
    launcher.bind(out.buffers[0]);
  }
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
function fillText(panel: 'a' | 'b', width: number, tile: Tile, acrossFirst: boolean, type: string): { before: string; fill: string } {
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

/** `partials`: the binding that takes parts of sums, or null where results are stored. */
function tileText(tile: Tile, type: string, aRowsFast: boolean, bColumnsFast: boolean, partials: string | null): string {
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
  const fillA = fillText('a', tileRows(tile), tile, aRowsFast, type);
  const fillB = fillText('b', tileColumns(tile), tile, bColumnsFast, type);
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
    const reads = [type, ...out.stored.slice(1)];
    const names = [`b${reads.length}`, ...out.stored.slice(1).map((_, i) => `b${1 + i}`)];
    return kernelSource({
      label: `${label}, parts`,
      reads,
      writes: [out.stored[0]],
      workgroup: WORKGROUP,
      head: out.text(p, names),
      body: `if (id >= ${all}) { return; }
var sum = b0[id];
for (var part = 1u; part < ${count}; part++) { sum += b0[part * ${all} + id]; }
store(id / (${m} * ${n}), (id / ${n}) % ${m}, id % ${n}, sum);`,
    });
  });
  launcher.begin().bind(partials);
  for (const buffer of out.buffers.slice(1)) launcher.bind(buffer);
  launcher.bind(out.buffers[0]);
  launcher.word(total).word(parts).word(rows).word(columns);
  out.pack(launcher);
  launcher.launch(pipeline, groupsFor(total));
}
