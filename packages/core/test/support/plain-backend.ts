/** @file The contract in its plainest form: seven kernels by loops and the opcodes' references. Core's own tests run on it. */
import {
  type Backend,
  type BackendBuffer,
  type Capabilities,
  CONTRACT_VERSION,
  DTYPE_INFO,
  DTYPES,
  type DType,
  f16BitsToF32,
  bf16BitsToF32,
  f32ToBf16Bits,
  f32ToF16Bits,
  IndexError,
  OPCODES,
  type Plugin,
  type Program,
  type ReduceKind,
  type RequiredKernels,
  registerDTypes,
  type ScanKind,
  type ScatterKind,
  type View,
  BACKEND,
  type BackendProvider,
} from '../../src/index.js';

interface PlainBuffer extends BackendBuffer {
  data: { [i: number]: number; length: number; buffer: ArrayBufferLike; byteOffset: number };
}
type V = View<PlainBuffer>;

function load(v: V, at: number): number {
  const x = v.buffer.data[at]!;
  return v.dtype === 'float16' ? f16BitsToF32(x) : v.dtype === 'bfloat16' ? bf16BitsToF32(x) : x;
}
function store(v: V, at: number, x: number): void {
  v.buffer.data[at] = v.dtype === 'float16' ? f32ToF16Bits(x) : v.dtype === 'bfloat16' ? f32ToBf16Bits(x) : x;
}

/** Calls `fn` with each index of a shape, in row-major order. */
function each(shape: readonly number[], fn: (index: number[]) => void): void {
  const index = shape.map(() => 0);
  if (shape.some((s) => s === 0)) return;
  for (;;) {
    fn(index);
    let d = shape.length - 1;
    while (d >= 0 && ++index[d]! === shape[d]) index[d--] = 0;
    if (d < 0) return;
  }
}
const at = (v: V, index: readonly number[]): number => index.reduce((o, i, d) => o + i * v.strides[d]!, v.offset);

const f32 = new Float32Array(1);
const i32 = new Int32Array(f32.buffer);
function evaluate(program: Program, scalars: ArrayLike<number>, inputs: readonly V[], index: readonly number[]): number[] {
  const types = registerDTypes(program);
  const r: number[] = inputs.map((v) => load(v, at(v, index)));
  program.scalars.forEach((t, i) => r.push(t === 'float32' ? Math.fround(scalars[i]!) : scalars[i]!));
  for (const { op, dtype, args, dim } of program.instructions) {
    const [a = 0, b = 0, c = 0] = args.map((i) => r[i]!);
    let x: number;
    if (op === 'index') x = index[dim!]!;
    else if (op === 'cast')
      x =
        dtype === 'bool'
          ? Number(a !== 0)
          : dtype === 'int32'
            ? a !== a
              ? 0
              : Math.max(-2147483648, Math.min(2147483647, Math.trunc(a)))
            : a;
    else if (op === 'bitcast') {
      if (dtype === 'int32') {
        f32[0] = a;
        x = i32[0]!;
      } else {
        i32[0] = a;
        x = f32[0]!;
      }
    } else if (op === 'mul' && dtype === 'int32') x = Math.imul(a, b);
    else if (op === 'not' && dtype === 'bool') x = 1 - a;
    else x = OPCODES[op].reference(a, b, c);
    r.push(dtype === 'float32' ? Math.fround(x) : dtype === 'int32' ? x | 0 : x);
  }
  void types;
  return program.outputs.map((o) => r[o.register]!);
}

const better = {
  max: (x: number, y: number) => (x !== x || x > y ? x : y !== y ? y : y),
  min: (x: number, y: number) => (x !== x || x < y ? x : y),
} as const;

export class PlainBackend implements Backend<PlainBuffer> {
  readonly contractVersion = CONTRACT_VERSION;
  readonly capabilities: Capabilities;
  readonly calls: string[] = [];
  live = 0;
  constructor(
    readonly id = 'plain',
    capabilities: Partial<Capabilities> = {},
  ) {
    this.capabilities = {
      dtypes: DTYPES,
      syncRead: true,
      maxBuffers: 16,
      maxBufferBytes: 2 ** 31,
      maxInstructions: 64,
      deterministic: true,
      ...capabilities,
    };
  }
  allocate(dtype: DType, length: number): PlainBuffer {
    this.live++;
    const data = new DTYPE_INFO[dtype].array(length);
    // Garbage, so that nobody relies on zeros.
    data.fill(dtype === 'bool' ? 1 : 77);
    return { dtype, length, data };
  }
  free(buffer: PlainBuffer): void {
    this.live--;
    buffer.data = { length: 0, buffer: new ArrayBuffer(0), byteOffset: 0 };
  }
  write(buffer: PlainBuffer, offset: number, bytes: Uint8Array): void {
    new Uint8Array(buffer.data.buffer, buffer.data.byteOffset + offset * DTYPE_INFO[buffer.dtype].size, bytes.length).set(bytes);
  }
  readSync(buffer: PlainBuffer, offset: number, length: number): Uint8Array {
    const { size } = DTYPE_INFO[buffer.dtype];
    return new Uint8Array(buffer.data.buffer, buffer.data.byteOffset + offset * size, length * size).slice();
  }
  async read(buffer: PlainBuffer, offset: number, length: number): Promise<Uint8Array> {
    return this.readSync(buffer, offset, length);
  }
  async synchronize(): Promise<void> {}
  memory(): { buffers: number; bytes: number; pooledBytes: number; peakBytes: number } {
    return { buffers: this.live, bytes: 0, pooledBytes: 0, peakBytes: 0 };
  }
  async dispose(): Promise<void> {}

  readonly kernels: RequiredKernels<PlainBuffer> = {
    pointwise: (program, scalars, inputs, outputs) => {
      this.calls.push('pointwise');
      each(outputs[0]!.shape, (index) =>
        evaluate(program, scalars, inputs, index).forEach((x, i) => store(outputs[i]!, at(outputs[i]!, index), x)),
      );
    },
    reduce: (kind: ReduceKind, program, scalars, inputs, output, axes) => {
      this.calls.push(`reduce ${kind}`);
      const shape = inputs[0]?.shape ?? output.shape;
      each(output.shape, (kept) => {
        const inner = axes.map((d) => shape[d]!);
        let acc = kind === 'prod' ? 1 : 0;
        let best = -1;
        let n = 0;
        each(inner, (i) => {
          const index = [...kept];
          axes.forEach((d, k) => (index[d] = i[k]!));
          const x = evaluate(program, scalars, inputs, index)[0]!;
          if (kind === 'sum') acc += x;
          else if (kind === 'prod') acc = output.dtype === 'int32' ? Math.imul(acc, x) : acc * x;
          else {
            const pick = kind.endsWith('max') ? 'max' : 'min';
            if (best < 0 || (acc === acc && (x !== x || (better[pick](x, acc) === x && x !== acc)))) {
              acc = x;
              best = n;
            }
          }
          n++;
        });
        store(output, at(output, kept), kind.startsWith('arg') ? best : output.dtype === 'int32' ? acc | 0 : acc);
      });
    },
    scan: (kind: ScanKind, reverse, input, output, axis) => {
      this.calls.push(`scan ${kind}`);
      each(
        input.shape.map((s, d) => (d === axis ? 1 : s)),
        (lead) => {
          const n = input.shape[axis]!;
          let acc = NaN;
          for (let k = 0; k < n; k++) {
            const index = [...lead];
            index[axis] = reverse ? n - 1 - k : k;
            const x = load(input, at(input, index));
            if (k === 0) acc = x;
            else if (kind === 'sum') acc += x;
            else if (kind === 'prod') acc *= x;
            else if (kind === 'logsumexp') {
              const m = Math.max(acc, x);
              acc = Number.isFinite(m) ? m + Math.log(Math.exp(acc - m) + Math.exp(x - m)) : m;
            } else acc = acc !== acc || x !== x ? NaN : kind === 'max' ? Math.max(acc, x) : Math.min(acc, x);
            store(output, at(output, index), acc);
          }
        },
      );
    },
    matmul: (a, b, out) => {
      this.calls.push('matmul');
      each(out.shape, ([n, i, j]) => {
        let s = 0;
        for (let k = 0; k < a.shape[2]!; k++) s += load(a, at(a, [n!, i!, k])) * load(b, at(b, [n!, k, j!]));
        store(out, at(out, [n!, i!, j!]), s);
      });
    },
    gather: (input, indices, dim, out) => {
      this.calls.push('gather');
      each(out.shape, (index) => store(out, at(out, index), load(input, at(input, pick(index, indices, dim, input)))));
    },
    scatter: (kind: ScatterKind, indices, source, dim, out) => {
      this.calls.push(`scatter ${kind}`);
      each(source.shape, (index) => pick(index, indices, dim, out));
      each(source.shape, (index) => {
        const to = at(out, pick(index, indices, dim, out));
        const x = load(source, at(source, index));
        const old = load(out, to);
        store(
          out,
          to,
          kind === 'set' ? x : kind === 'add' ? old + x : kind === 'mul' ? old * x : kind === 'max' ? Math.max(old, x) : Math.min(old, x),
        );
      });
    },
    sort: (input, dim, descending, values, indices) => {
      this.calls.push('sort');
      each(
        input.shape.map((s, d) => (d === dim ? 1 : s)),
        (lead) => {
          const place = (k: number): number[] => lead.map((i, d) => (d === dim ? k : i));
          const keys = Array.from({ length: input.shape[dim]! }, (_, k) => load(input, at(input, place(k))));
          const rank = (x: number, y: number): number => (x !== x ? (y !== y ? 0 : 1) : y !== y ? -1 : x - y);
          const order = keys.map((_, k) => k).sort((p, q) => (descending ? rank(keys[q]!, keys[p]!) : rank(keys[p]!, keys[q]!)) || p - q);
          order.forEach((k, i) => {
            store(values, at(values, place(i)), keys[k]!);
            store(indices, at(indices, place(i)), k);
          });
        },
      );
    },
  };
}

function pick(index: readonly number[], indices: V, dim: number, target: V): number[] {
  const i = load(indices, at(indices, index));
  if (!(i >= 0 && i < target.shape[dim]!))
    throw new IndexError('ERR_INDEX_RANGE', `index ${i} is out of bounds for dimension ${dim} with size ${target.shape[dim]}`);
  return index.map((k, d) => (d === dim ? i : k));
}

export const plainPlugin = (id = 'plain', capabilities: Partial<Capabilities> = {}, made?: (b: PlainBackend) => void): Plugin => ({
  name: `test-${id}`,
  version: '0.0.0',
  contract: CONTRACT_VERSION,
  register({ container, core }) {
    const create = (): PlainBackend => {
      const backend = new PlainBackend(id, capabilities);
      made?.(backend);
      return backend;
    };
    const provider: BackendProvider = { id, priority: 1, isAvailable: () => ({ available: true }), create, createSync: create };
    container.register(core.BACKEND ?? BACKEND, { useValue: provider });
  },
});
