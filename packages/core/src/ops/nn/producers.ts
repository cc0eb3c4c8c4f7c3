/** @file Products that wait for the pointwise program after them, on devices whose kernels take one along: see tensor/producer.ts. */
import type { BackendBuffer, View, Window } from '../../backend/contract.js';
import { formatProgram, type Program } from '../../backend/program.js';
import { NotSupportedError } from '../../errors.js';
import type { Device } from '../../plugin/device.js';
import type { Producer } from '../../tensor/producer.js';
import { contiguousStrides, type Shape } from '../../tensor/shape.js';
import type { Value } from '../../tensor/value.js';
import { reshapedView } from '../result.js';

/** What a kernel with an epilogue is given besides its operands. */
type Epilogue = readonly [program: Program, scalars: ArrayLike<number>, inputs: readonly (View | null)[], outputs: readonly View[]];

/** A view of what a product writes: fresh memory, row-major. */
const whole = (buffer: BackendBuffer, shape: Shape): View => ({
  buffer,
  dtype: buffer.dtype,
  shape,
  strides: contiguousStrides(shape),
  offset: 0,
});

abstract class ProductProducer implements Producer {
  constructor(
    readonly device: Device,
    /** The kernel's name, alone. */
    readonly name: string,
    readonly reads: readonly Value[],
    /** What is told of the launch. */
    readonly shape: Shape,
  ) {}

  protected abstract launch(out: BackendBuffer): boolean;
  protected abstract launchWith(epilogue: Epilogue): boolean;

  run(out: BackendBuffer): void {
    this.#told(this.name);
    if (!this.launch(out))
      throw new NotSupportedError('ERR_KERNEL_DECLINED', `${this.name}: the backend declined what it takes with an epilogue`, {
        op: this.name,
        device: this.device.id,
      });
  }

  fuse(...epilogue: Epilogue): boolean {
    if (!this.launchWith(epilogue)) return false;
    this.#told(`${this.name} and pointwise`, epilogue[0]);
    return true;
  }

  #told(kernel: string, program?: Program): void {
    const { device, shape } = this;
    device.launches++;
    if (device.onLaunch === null) return;
    device.onLaunch(program === undefined ? { kernel, shape } : { kernel, shape, program: () => formatProgram(program) });
  }
}

/** a (B, M, K) · b (B, K, N). */
export class MatmulProducer extends ProductProducer {
  constructor(
    device: Device,
    reads: readonly Value[],
    readonly a: View,
    readonly b: View,
  ) {
    super(device, 'matmul', reads, [a.shape[0]!, a.shape[1]!, a.shape[2]!, b.shape[2]!]);
  }

  protected launch(out: BackendBuffer): boolean {
    const { a, b, device } = this;
    device.kernels.matmul(a, b, whole(out, [a.shape[0]!, a.shape[1]!, b.shape[2]!]));
    return true;
  }

  protected launchWith(epilogue: Epilogue): boolean {
    return this.device.kernels.matmulPointwise!(this.a, this.b, null, ...epilogue);
  }
}

/** a (M, K) · bᵀ + bias, b (N, K), bias (N). */
export class LinearProducer extends ProductProducer {
  constructor(
    device: Device,
    reads: readonly Value[],
    readonly a: View,
    readonly b: View,
    readonly bias: View | null,
  ) {
    super(device, 'linear', reads, [a.shape[0]!, b.shape[0]!, a.shape[1]!]);
  }

  protected launch(out: BackendBuffer): boolean {
    const { a, b, bias, device } = this;
    return device.kernels.linear!(a, b, bias, whole(out, [a.shape[0]!, b.shape[0]!]));
  }

  protected launchWith(epilogue: Epilogue): boolean {
    const { a, b, bias, device } = this;
    const batched = ({ shape, strides, ...view }: View, rows: number): View =>
      reshapedView({ shape, strides, ...view }, [1, shape[rows]!, shape[1 - rows]!], [0, strides[rows]!, strides[1 - rows]!]);
    return device.kernels.matmulPointwise!(batched(a, 0), batched(b, 1), bias, ...epilogue);
  }
}

/** A convolution with an output of `shape`. */
export class ConvolutionProducer extends ProductProducer {
  constructor(
    device: Device,
    reads: readonly Value[],
    shape: Shape,
    readonly input: View,
    readonly weight: View,
    readonly bias: View | null,
    readonly window: Window,
    readonly groups: number,
  ) {
    super(device, 'convolution', reads, shape);
  }

  protected launch(out: BackendBuffer): boolean {
    const { input, weight, bias, window, groups, device } = this;
    return device.kernels.convolution!(input, weight, bias, whole(out, this.shape), window, groups);
  }

  protected launchWith(epilogue: Epilogue): boolean {
    const { input, weight, bias, window, groups, device } = this;
    return device.kernels.convolutionPointwise!(input, weight, bias, window, groups, ...epilogue);
  }
}
