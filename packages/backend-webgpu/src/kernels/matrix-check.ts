/**
 * @file Which of an adapter's matrix units may be used. WGSL's extension is an experiment, and what a driver computes with it is promised nowhere, so
 * each unit is tried at the start, on a product whose right result is known to the last bit, and refused for this device if it gives another.
 */
import { f32ToF16Array } from '@tessera/core/backend';
import { type AdapterFacts, DeviceFault } from '../device/queue.js';
import { EMULATED, type MatrixUnit, unitName } from '../wgsl/matrix-unit.js';
import type { GpuView } from '../wgsl/views.js';
import type { Context } from './context.js';
import { matrixOperand, matrixResult } from './matmul.js';
import { dividesTile, launchMatrices, storageOf, workgroupOf } from './product-matrices.js';

/** What came of the search for matrix units. */
export interface MatrixUnitReport {
  /** In use for products whose factors are so: `f16 16x16x16`. */
  readonly used: readonly string[];
  /** Why others are not, a sentence each. */
  readonly refused: readonly string[];
}

/** More than a tile and no multiple of anything in each direction. */
const [ROWS, INNER, COLUMNS] = [67, 71, 70];
/** How many of an adapter's sizes are tried for a type, the largest first. */
const TRIES = 2;

/** Units of an adapter that fit the kernel, those of one type by size. */
export function candidates({ features, limits, matrixConfigs, subgroupSizes }: AdapterFacts): MatrixUnit[] {
  if (!features.includes('chromium-experimental-subgroup-matrix') || !features.includes('subgroup_id') || subgroupSizes === null) return [];
  const [least, most] = subgroupSizes;
  const pinned = least !== most;
  if (pinned && !features.includes('subgroup-size-control')) return [];
  const lanes = least <= 32 && most >= 32 ? 32 : most;
  return matrixConfigs
    .filter(
      ({ componentType, resultComponentType }) => (componentType === 'f16' || componentType === 'f32') && resultComponentType === 'f32',
    )
    .map(({ componentType, M, N, K }): MatrixUnit => ({
      component: componentType as 'f16' | 'f32',
      M,
      N,
      K,
      lanes,
      pinned,
      form: 'layouts',
    }))
    .filter((unit) => dividesTile(unit) && (unit.component === 'f32' || features.includes('shader-f16')))
    .filter((unit) => workgroupOf(unit) <= Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX))
    .filter((unit) => storageOf(unit) <= limits.maxComputeWorkgroupStorageSize)
    .sort((x, y) => y.M * y.N * y.K - x.M * x.N * x.K);
}

/** Puts into use what passes. @param emulated Only {@link EMULATED}: for tests. */
export async function tryMatrixUnits(context: Context, emulated: boolean): Promise<MatrixUnitReport> {
  const found = emulated ? [EMULATED] : candidates(context.launcher.queue.facts);
  const used: MatrixUnit[] = [];
  const refused: string[] = [];
  for (const component of ['f16', 'f32'] as const) {
    for (const unit of found.filter((one) => one.component === component).slice(0, TRIES)) {
      // oxlint-disable-next-line no-await-in-loop -- the next is tried where this one fails
      const outcome = await trial(context, unit);
      if (typeof outcome !== 'string') {
        used.push(outcome);
        break;
      }
      refused.push(`${unitName(unit)}: ${outcome}`);
    }
  }
  if (found.length === 0)
    refused.push('the adapter has no matrix units with sums in float32, or does not say how many invocations share one');
  context.launcher.matrixUnits = used;
  return { used: used.map(unitName), refused };
}

/**
 * Factors with exact products, and exact sums below 2²⁴. For f16 they pass 2048, beyond which float16 has not all integers, and 65504, its largest
 * number; for f32 they have 18 bits, of which TensorFloat-32 keeps 11. In rows of their own: an infinity, a NaN, and for f16 a number below 2⁻¹⁴.
 */
function factors(component: 'f16' | 'f32'): { a: Float32Array; b: Float32Array } {
  const wide = (i: number): number => ((i * 7919) % 200_001) - 100_000;
  const small = (i: number): number => ((i * 13) % 63) - 31;
  const value = (i: number, even: boolean): number => (component === 'f16' ? small(i) : even ? wide(i) : (i % 3) - 1);
  const a = Float32Array.from({ length: ROWS * INNER }, (_, i) => value(i, (i % INNER) % 2 === 0));
  const b = Float32Array.from({ length: INNER * COLUMNS }, (_, i) => value(i + 5, Math.floor(i / COLUMNS) % 2 === 1));
  a[3 * INNER + 4] = Infinity;
  a[5 * INNER + 9] = NaN;
  if (component === 'f16') {
    a[0] = b[0] = 2047;
    a.fill(0, INNER, 2 * INNER);
    a[INNER] = 2 ** -20;
  }
  return { a, b };
}

/** The unit as it is to be used, or why it is not. */
async function trial(context: Context, unit: MatrixUnit): Promise<MatrixUnit | string> {
  let refusal = '';
  for (const form of unit.form === 'emulated' ? (['emulated'] as const) : (['layouts', 'flags'] as const)) {
    const written = { ...unit, form };
    try {
      // oxlint-disable-next-line no-await-in-loop -- the other form is tried where a device does not take this one
      return (await check(context, written)) ?? written;
    } catch (error) {
      if (!(error instanceof DeviceFault)) throw error;
      refusal = error.message.split('\n')[0];
    }
  }
  return refusal;
}

/** Why the unit is not to be used, or null. @throws DeviceFault where the device does not take the kernel */
async function check(context: Context, unit: MatrixUnit): Promise<string | null> {
  const { launcher, pool } = context;
  const { queue } = launcher;
  const { a, b } = factors(unit.component);
  const dtype = unit.component === 'f16' ? 'float16' : 'float32';
  const buffers = [pool.allocate(dtype, a.length), pool.allocate(dtype, b.length), pool.allocate('float32', ROWS * COLUMNS)];
  const view = (i: number, rows: number, columns: number): GpuView => ({
    buffer: buffers[i],
    dtype: buffers[i].dtype,
    shape: [1, rows, columns],
    strides: [rows * columns, columns, 1],
    offset: 0,
  });
  try {
    [a, b].forEach((values, i) => {
      const stored = dtype === 'float16' ? f32ToF16Array(values) : values;
      const bytes = new Uint8Array(Math.ceil(stored.byteLength / 4) * 4);
      bytes.set(new Uint8Array(stored.buffer));
      queue.write(buffers[i].id, 0, bytes);
    });
    const product = {
      label: 'matmul',
      type: 'f32',
      batch: 1,
      rows: ROWS,
      columns: COLUMNS,
      inner: INNER,
      a: matrixOperand(view(0, ROWS, INNER), 'a', launcher.halves),
      b: matrixOperand(view(1, INNER, COLUMNS), 'b', launcher.halves),
      aRowsFast: false,
      bColumnsFast: true,
      out: matrixResult(view(2, ROWS, COLUMNS)),
    } as const;
    // Aside: then what does not compile is not launched.
    queue.compileAside(true);
    launchMatrices(context, product, unit);
    queue.compileAside(false);
    launcher.submitted();
    const bytes = await queue.read(buffers[2].id, 0, ROWS * COLUMNS * 4, false);
    return compare(a, b, new Float32Array(bytes.slice().buffer));
  } finally {
    queue.compileAside(false);
    for (const buffer of buffers) pool.free(buffer);
  }
}

/** The first element that is not what it has to be. */
function compare(a: Float32Array, b: Float32Array, out: Float32Array): string | null {
  for (let i = 0; i < ROWS; i++) {
    for (let j = 0; j < COLUMNS; j++) {
      let sum = 0;
      for (let k = 0; k < INNER; k++) sum += a[i * INNER + k] * b[k * COLUMNS + j];
      const got = out[i * COLUMNS + j];
      if (got !== sum && !(Number.isNaN(got) && Number.isNaN(sum)))
        return `a product came out wrong: (${i}, ${j}) is ${got} in place of ${sum}`;
    }
  }
  return null;
}
