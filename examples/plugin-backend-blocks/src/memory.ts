/**
 * @file Memory in which every element is a float64, whatever its dtype: each value of each dtype is one exactly. Kernels then know one kind of
 * array; only `write` and `read`, and the store of a result, know of dtypes.
 */
import {
  type BackendBuffer,
  bf16BitsToF32,
  DeviceError,
  type DType,
  DTYPE_INFO,
  f16BitsToF32,
  f32ToBf16Bits,
  f32ToF16Bits,
  MemoryError,
  type MemoryStats,
} from '@tessera/core/backend';

export const DEVICE = 'blocks';

/** Elements, each a float64. */
export interface Buffer extends BackendBuffer {
  readonly data: Float64Array;
}

/** The longest buffer in bytes of the host: the 8 bytes of an element here are 8 times those of a bool. */
export const MAX_BUFFER_BYTES = 2 ** 28;

const DECODE: Partial<Record<DType, (bits: number) => number>> = { float16: f16BitsToF32, bfloat16: bf16BitsToF32 };
const ENCODE: Partial<Record<DType, (value: number) => number>> = { float16: f32ToF16Bits, bfloat16: f32ToBf16Bits };

/** @throws DeviceError `ERR_BACKEND_DISPOSED` */
export function disposed(): never {
  throw new DeviceError('ERR_BACKEND_DISPOSED', `${DEVICE}: the backend was disposed of`, { device: DEVICE });
}

export class Memory {
  readonly #live = new Set<Buffer>();
  #bytes = 0;
  #peak = 0;
  #ended = false;

  #running(): void {
    if (this.#ended) disposed();
  }

  allocate(dtype: DType, length: number): Buffer {
    this.#running();
    let data: Float64Array | undefined;
    if (length * DTYPE_INFO[dtype].size <= MAX_BUFFER_BYTES) {
      try {
        data = new Float64Array(length);
      } catch {
        // A RangeError of the engine.
      }
    }
    if (data === undefined) {
      throw new MemoryError(
        'ERR_OUT_OF_MEMORY',
        `${DEVICE}: ${length} elements of ${dtype} were asked for; ${this.#bytes} bytes are live`,
        {
          device: DEVICE,
          dtypes: [dtype],
          requested: length * 8,
          live: this.#bytes,
        },
      );
    }
    const buffer = { dtype, length, data };
    this.#live.add(buffer);
    this.#bytes += data.byteLength;
    this.#peak = Math.max(this.#peak, this.#bytes);
    return buffer;
  }

  free(buffer: Buffer): void {
    this.#running();
    if (this.#live.delete(buffer)) this.#bytes -= buffer.data.byteLength;
  }

  write({ dtype, data }: Buffer, offset: number, host: Uint8Array): void {
    this.#running();
    const { size, array } = DTYPE_INFO[dtype];
    const elements = new array(host.slice().buffer, 0, host.byteLength / size); // a copy: host bytes may lie unaligned
    const decode = DECODE[dtype];
    if (decode === undefined) data.set(elements, offset);
    else for (let i = 0; i < elements.length; i++) data[offset + i] = decode(elements[i]!);
  }

  read({ dtype, data }: Buffer, offset: number, length: number): Uint8Array {
    this.#running();
    const elements = new DTYPE_INFO[dtype].array(length);
    const encode = ENCODE[dtype];
    if (encode === undefined) elements.set(data.subarray(offset, offset + length));
    else for (let i = 0; i < length; i++) elements[i] = encode(data[offset + i]!);
    return new Uint8Array(elements.buffer);
  }

  stats(): MemoryStats {
    this.#running();
    return { buffers: this.#live.size, bytes: this.#bytes, pooledBytes: 0, peakBytes: this.#peak };
  }

  end(): void {
    this.#ended = true;
    this.#live.clear();
  }
}
