/**
 * @file Tiled products. Workgroups compute tiles from panels in shared memory, invocations blocks of 4 x 4 or 8 x 8 in registers; edges are masked.
 * Where tiles are too few to fill a GPU, K is split and the parts are added in a second launch, always in the same order.
 */
import type { Context } from './context.js';
import { bindingNames, bindingTypes, bindOperands, bindResult, type Operand, type Product } from './operand.js';
import { fillText } from './product-panels.js';
import { addParts, ENOUGH_GROUPS, splitInner } from './product-parts.js';
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
  const { parts, perPart } = splitInner(tiles, inner, tile.depth);
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
  const fill = (name: 'a' | 'b', width: number, operand: Operand, acrossFirst: boolean): ReturnType<typeof fillText> =>
    fillText({
      name,
      width,
      depth,
      lanes: down * across,
      type,
      operand,
      acrossFirst,
      store: (k, quad, value) => `panel_${name}[(${k}) * ${width / 4}u + ${quad}] = ${value};`,
    });
  const fillA = fill('a', tileRows(tile), a, aRowsFast);
  const fillB = fill('b', tileColumns(tile), b, bColumnsFast);
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
