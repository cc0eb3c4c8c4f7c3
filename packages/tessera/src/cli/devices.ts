/** @file What `tessera devices` tells: which backends there are, whether each can run here, and what it can do. */
import { type AcceleratedKernels, type Availability, type Capabilities, didYouMean, KERNEL_DTYPES, type Runtime } from '@tessera/core';

/** Every kernel that a backend may have besides the seven; complete at compile time. */
const ACCELERATED: Readonly<Record<keyof AcceleratedKernels, true>> = {
  pointwiseEach: true,
  convolution: true,
  convolutionInputGrad: true,
  convolutionWeightGrad: true,
  maxPool: true,
  maxPoolGrad: true,
  avgPool: true,
  avgPoolGrad: true,
  softmax: true,
  softmaxGrad: true,
  linear: true,
  matmulPointwise: true,
  convolutionPointwise: true,
  layerNorm: true,
  layerNormGrad: true,
  batchNorm: true,
  batchNormGrad: true,
  attention: true,
  attentionGrad: true,
  crossEntropy: true,
  crossEntropyGrad: true,
  topk: true,
  lstmStep: true,
  gruStep: true,
  lstmStepGrad: true,
  gruStepGrad: true,
};

/** One backend. `capabilities` and `kernels` are null where it cannot run, or did not start. */
export interface DeviceReport {
  readonly id: string;
  readonly version: string | null;
  readonly priority: number;
  readonly availability: Availability;
  /** Is it what `device: 'auto'` takes? */
  readonly chosen: boolean;
  /** Why it is not, in words; null for the one that is. */
  readonly notChosen: string | null;
  readonly capabilities: Capabilities | null;
  readonly kernels: KernelReport | null;
}

export interface KernelReport {
  /** The seven that every backend has. */
  readonly required: readonly string[];
  /** Accelerated ones that it has, and any more that it brings. */
  readonly native: readonly string[];
  /** Accelerated ones that core composes from the seven. */
  readonly decomposed: readonly string[];
}

function kernelReport(kernels: object): KernelReport {
  const required = Object.keys(KERNEL_DTYPES);
  const has = (name: string): boolean => typeof (kernels as Readonly<Record<string, unknown>>)[name] === 'function';
  const known = Object.keys(ACCELERATED);
  const more = Object.keys(kernels).filter((name) => has(name) && !required.includes(name) && !known.includes(name));
  return { required, native: [...known.filter(has), ...more], decomposed: known.filter((name) => !has(name)) };
}

/** Asks every registered backend, and starts those that can run. `device` is what TESSERA_DEVICE says. */
export async function deviceReports(runtime: Runtime, device?: string): Promise<DeviceReport[]> {
  const statuses = await runtime.backends();
  const named = device === undefined || device === 'auto' ? undefined : device;
  const chosen = await runtime.init(named === undefined ? {} : { device: named }).then(
    (started) => started.id,
    () => null,
  );
  const reports = await Promise.all(
    statuses.map(async ({ id, version, priority, availability }): Promise<Omit<DeviceReport, 'notChosen'>> => {
      const report = { id, version: version ?? null, priority, chosen: id === chosen };
      if (!availability.available) return { ...report, availability, capabilities: null, kernels: null };
      try {
        const { capabilities, kernels } = (await runtime.start(id)).backend;
        return { ...report, availability, capabilities, kernels: kernelReport(kernels) };
      } catch (error) {
        const reason = `it does not start: ${error instanceof Error ? error.message : String(error)}`;
        return { ...report, availability: { available: false, reason }, capabilities: null, kernels: null };
      }
    }),
  );
  return reports.map((report) => ({ ...report, notChosen: notChosen(report, chosen, named) }));
}

function notChosen(
  { availability, chosen }: Omit<DeviceReport, 'notChosen'>,
  taken: string | null,
  named: string | undefined,
): string | null {
  if (chosen) return null;
  if (!availability.available) return availability.reason.split('\n')[0]!;
  if (named !== undefined) return `TESSERA_DEVICE names ${named}`;
  if (availability.slow !== undefined) return `slow: ${availability.slow}`;
  return `${taken ?? 'another'} comes before it`;
}

/** 268435456 as `256 MiB`. */
function bytes(n: number): string {
  if (!Number.isFinite(n)) return 'no limit';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(n) / 10)));
  const value = n / 1024 ** power;
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[power]}`;
}
const count = (n: number): string => (n >= Number.MAX_SAFE_INTEGER || !Number.isFinite(n) ? 'any number of' : String(n));

const state = ({ availability, notChosen: why }: DeviceReport): string => {
  if (!availability.available) return `no: ${why}`;
  const slow = availability.slow === undefined ? 'yes' : `yes, but slow: ${availability.slow}`;
  return why === null || why.startsWith('slow') ? slow : `${slow} (${why})`;
};

/** Columns as wide as what stands in them. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd(),
  );
}

/** A kernel, with a word about one that core does not know: a plugin's own, or a slip of the pen. */
function described(kernel: string): string {
  if (Object.hasOwn(KERNEL_DTYPES, kernel) || Object.hasOwn(ACCELERATED, kernel)) return kernel;
  return `${kernel} (its own, which core never calls${didYouMean(kernel, Object.keys(ACCELERATED))})`;
}

function details({ id, capabilities, kernels }: DeviceReport): string[] {
  if (capabilities === null || kernels === null) return [];
  const { dtypes, maxBuffers, maxBufferBytes, maxInstructions, syncRead, deterministic = false } = capabilities;
  return [
    '',
    id,
    `  dtypes      ${dtypes.join(', ')}`,
    `  limits      ${count(maxBuffers)} buffers a kernel, ${count(maxInstructions)} instructions a program, ${bytes(maxBufferBytes)} a buffer`,
    `  reads       ${syncRead ? 'at once (item, toArray) or awaited' : 'awaited only (itemAsync, toArrayAsync)'}`,
    `  results     ${deterministic ? 'the same bits, fused or op by op' : 'the same within rounding, fused or op by op'}`,
    `  native      ${[...kernels.required, ...kernels.native].map(described).join(', ')}`,
    `  decomposed  ${kernels.decomposed.join(', ') || 'nothing'}`,
  ];
}

/** The reports as a table, and what each device can do. */
export function deviceLines(reports: readonly DeviceReport[]): string[] {
  const rows = reports.map((report) => [
    report.chosen ? '*' : '',
    report.id,
    report.version ?? '-',
    String(report.priority),
    state(report),
  ]);
  return [
    ...columns([['', 'device', 'version', 'priority', 'available'], ...rows]),
    '',
    reports.some(({ chosen }) => chosen)
      ? "* is what device 'auto' takes: the first, by priority, that can run and is not slow, or what TESSERA_DEVICE names."
      : "No device can run here: device 'auto' fails.",
    ...reports.flatMap(details),
  ];
}
