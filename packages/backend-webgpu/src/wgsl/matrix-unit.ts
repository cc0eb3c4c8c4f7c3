/**
 * @file Matrix units, as WGSL's extension `chromium_experimental_subgroup_matrix` has them: a subgroup multiplies two small matrices together. All that a
 * kernel says in the extension's own words is made here, and may be written in three forms, one of which needs no extension: what it computes is the same.
 * Source: Dawn's docs/dawn/features/subgroup_matrix.md.
 */

/** Sizes and types that an adapter multiplies: (M, K) · (K, N) of `componentType`, summed in `resultComponentType`. */
export interface MatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

export interface MatrixUnit {
  /** Of the factors. Sums are f32. */
  readonly component: 'f16' | 'f32';
  readonly M: number;
  readonly N: number;
  readonly K: number;
  /** Invocations of a subgroup. */
  readonly lanes: number;
  /** Subgroups of other sizes are possible: this one has to be asked for. */
  readonly pinned: boolean;
  /**
   * How it is written: 'layouts' is the extension's later form (the order of elements is a template parameter), 'flags' its first one; 'emulated' are plain
   * functions over the same places of shared memory, for tests where no adapter has the extension.
   */
  readonly form: 'layouts' | 'flags' | 'emulated';
}

/** For people: `f16 16x16x16`. */
export const unitName = ({ component, M, N, K }: MatrixUnit): string => `${component} ${M}x${N}x${K}`;

/** Sixteen lanes that are no subgroup, with three different sizes, so that no mistaken one goes unseen. */
export const EMULATED: MatrixUnit = { component: 'f32', M: 16, N: 8, K: 4, lanes: 16, pinned: false, form: 'emulated' };

/** A place in shared memory: the first element of a matrix, in an array called `panel`, whose rows (or columns, if `columns`) lie `stride` apart. */
interface Place {
  readonly panel: string;
  readonly at: string;
  readonly stride: number;
  readonly columns: boolean;
}

/** Pieces of a kernel's source. */
export interface MatrixText {
  readonly enables: readonly string[];
  readonly directives: readonly string[];
  readonly attributes: readonly string[];
  readonly subgroups: boolean;
  /** Declarations at module level. */
  readonly head: string;
  /** A statement at the start of `main`, which declares `subgroup`, where no built-in does. */
  readonly before: string;
  /** The first value of a sum. */
  readonly zero: string;
  readonly load: (side: 'left' | 'right', place: Place) => string;
  /** A statement: sum += left · right. */
  readonly multiply: (sum: string, left: string, right: string) => string;
  /** A statement. */
  readonly store: (place: Place, sum: string) => string;
}

export function matrixText(unit: MatrixUnit): MatrixText {
  return unit.form === 'emulated' ? emulatedText(unit) : extensionText(unit);
}

function extensionText({ component, M, N, K, lanes, pinned, form }: MatrixUnit): MatrixText {
  // Columns come before rows.
  const left = `subgroup_matrix_left<${component}, ${K}, ${M}>`;
  const right = `subgroup_matrix_right<${component}, ${N}, ${K}>`;
  const order = (columns: boolean): string => (columns ? 'col_major' : 'row_major');
  return {
    enables: [
      'chromium_experimental_subgroup_matrix',
      ...(component === 'f16' ? ['f16'] : []),
      ...(pinned ? ['subgroup_size_control'] : []),
    ],
    // The number of a subgroup is the same for all of its lanes, which the analysis, by workgroups, does not know.
    directives: ['diagnostic(off, chromium.subgroup_matrix_uniformity)'],
    attributes: pinned ? [`@subgroup_size(${lanes})`] : [],
    subgroups: true,
    head: '',
    before: '',
    zero: `subgroup_matrix_result<f32, ${N}, ${M}>()`,
    load: (side, { panel, at, stride, columns }) => {
      const type = side === 'left' ? left : right;
      return form === 'layouts'
        ? `subgroupMatrixLoad<${type}, ${order(columns)}>(&${panel}, ${at}, ${stride}u)`
        : `subgroupMatrixLoad<${type}>(&${panel}, ${at}, ${columns}, ${stride}u)`;
    },
    multiply: (sum, a, b) => `${sum} = subgroupMatrixMultiplyAccumulate(${a}, ${b}, ${sum});`,
    store: ({ panel, at, stride, columns }, sum) =>
      form === 'layouts'
        ? `subgroupMatrixStore<${order(columns)}>(&${panel}, ${at}, ${sum}, ${stride}u);`
        : `subgroupMatrixStore(&${panel}, ${at}, ${sum}, ${columns}, ${stride}u);`,
  };
}

/** Each lane keeps its share of the sums; the factors are read where they lie when they are multiplied. */
function emulatedText({ M, N, K, lanes }: MatrixUnit): MatrixText {
  const each = (M * N) / lanes;
  const steps = (stride: number, columns: boolean): string => (columns ? `1u, ${stride}u` : `${stride}u, 1u`);
  const products = Array.from(
    { length: K },
    (_, k) =>
      `panel_a[left.at + (e / ${N}u) * left.row + ${k}u * left.column] * panel_b[right.at + ${k}u * right.row + (e % ${N}u) * right.column]`,
  );
  return {
    enables: [],
    directives: [],
    attributes: [],
    subgroups: false,
    head: `struct Matrix { at: u32, row: u32, column: u32 }
alias Sums = array<f32, ${each}>;
fn multiply_matrices(sums: Sums, left: Matrix, right: Matrix, lane: u32) -> Sums {
var result = sums;
for (var i = 0u; i < ${each}u; i++) {
let e = lane % ${lanes}u + i * ${lanes}u;
result[i] += ${products.join(' +\n')};
}
return result;
}`,
    before: `let subgroup = lane / ${lanes}u;`,
    zero: 'Sums()',
    load: (_, { at, stride, columns }) => `Matrix(${at}, ${steps(stride, columns)})`,
    multiply: (sum, a, b) => `${sum} = multiply_matrices(${sum}, ${a}, ${b}, lane);`,
    store: ({ panel, at, stride, columns }, sum) => `for (var i = 0u; i < ${each}u; i++) {
let e = lane % ${lanes}u + i * ${lanes}u;
${panel}[${at} + ${columns ? `e / ${N}u + (e % ${N}u) * ${stride}u` : `(e / ${N}u) * ${stride}u + e % ${N}u`}] = ${sum}[i];
}`,
  };
}
