/** @file Max and mean pooling and their gradients. */
import { type AcceleratedKernels, IndexError, type Window } from '@tessera/core/backend';
import { addressOf, type KernelHost, type WasmView } from '../code/kernel-host.js';
import { type ImagePlanes, imagePlanes, product, three } from '../convolution/image-planes.js';
import type { WasmBuffer } from '../memory/wasm-buffer.js';
import { f32bits } from '../rows/norm-module.js';
import { emitPools } from './pool-module.js';

type Kernels = Required<AcceleratedKernels<WasmBuffer>>;
type Divisor = Parameters<Kernels['avgPool']>[4];

const FLOAT = 4;
const NONE: ImagePlanes = { address: 0, N: 0, C: 0, sizes: [1, 1, 1], strideN: 0, strideC: 0, strides: [0, 0, 0] };

const planes = (view: WasmView): ImagePlanes => imagePlanes(view, addressOf(view), FLOAT);
const layout = ({ address, strideN, strideC, strides }: ImagePlanes): readonly number[] => [address, strideN, strideC, ...strides];

/** Windows of 2x2 that touch one another, over rows that vectors can read. */
function isPairs(
  x: ImagePlanes,
  y: ImagePlanes,
  i: ImagePlanes,
  kernel: readonly number[],
  { stride, padding, dilation }: Window,
): boolean {
  const all = (list: readonly number[], value: number): boolean => list.every((n) => n === value);
  return (
    kernel.length === 2 &&
    all(kernel, 2) &&
    all(stride, 2) &&
    all(padding, 0) &&
    all(dilation, 1) &&
    y.sizes[2] >= 4 &&
    y.sizes[1] * 2 <= x.sizes[1] &&
    y.sizes[2] * 2 <= x.sizes[2] &&
    [x, y].every(({ strides }) => strides[2] === FLOAT) &&
    (i === NONE || i.strides[2] === FLOAT)
  );
}

export function poolKernels(host: KernelHost): Pick<Kernels, 'maxPool' | 'maxPoolGrad' | 'avgPool' | 'avgPoolGrad'> {
  const task = (name: string) => host.module('pools', emitPools)(name);

  function launch(
    name: string,
    x: ImagePlanes,
    y: ImagePlanes,
    i: ImagePlanes,
    kernel: readonly number[],
    { stride, padding, dilation }: Window,
    divisor: number,
    flag: number,
  ): void {
    const window = three(kernel, 1);
    const args = [x.C, ...layout(x), ...layout(y), ...layout(i), ...x.sizes, ...y.sizes];
    args.push(...window, ...three(stride, 1), ...three(padding, 0), ...three(dilation, 1), divisor, flag);
    const elements = x.N * x.C * product(y.sizes);
    host.launch(task(name), args, x.N * x.C, 0, name.endsWith('Pairs') ? elements : elements * product(window) * 3);
  }

  /** A number's bits, or what `scale` takes for the named divisors. */
  const divisorOf = (divisor: Divisor): number => (divisor === 'padded' ? 1 : divisor === 'valid' ? 0 : f32bits(divisor));

  return {
    maxPool(input, out, indices, kernel, window) {
      if (input.dtype !== 'float32' || out.dtype !== 'float32') return false;
      const [x, y, i] = [planes(input), planes(out), indices === null ? NONE : planes(indices)];
      launch(isPairs(x, y, i, kernel, window) ? 'maxPoolPairs' : 'maxPool', x, y, i, kernel, window, 0, 0);
      return true;
    },
    maxPoolGrad(gradOut, indices, gradInput, kernel, window) {
      if (gradOut.dtype !== 'float32' || gradInput.dtype !== 'float32' || indices.dtype !== 'int32') return false;
      const [x, y, i] = [planes(gradInput), planes(gradOut), planes(indices)];
      let bad = false;
      host.withMemory(16, (flag) => {
        const run = (name: string): boolean => {
          host.machine.linear.i32[flag >>> 2] = 0;
          launch(name, x, y, i, kernel, window, 0, flag);
          return host.machine.linear.i32[flag >>> 2] === 0;
        };
        if (isPairs(x, y, i, kernel, window) && run('maxPoolGradPairs')) return;
        bad = !run('maxPoolGrad');
      });
      if (bad)
        throw new IndexError('ERR_INDEX_RANGE', `maxPoolGrad: an index lies outside a plane of ${x.sizes.join(' x ')}`, {
          op: 'maxPoolGrad',
          device: 'wasm',
        });
      return true;
    },
    avgPool(input, out, kernel, window, divisor) {
      if (input.dtype !== 'float32' || out.dtype !== 'float32') return false;
      launch('avgPool', planes(input), planes(out), NONE, kernel, window, divisorOf(divisor), 0);
      return true;
    },
    avgPoolGrad(gradOut, gradInput, kernel, window, divisor) {
      if (gradOut.dtype !== 'float32' || gradInput.dtype !== 'float32') return false;
      launch('avgPoolGrad', planes(gradInput), planes(gradOut), NONE, kernel, window, divisorOf(divisor), 0);
      return true;
    },
  };
}
