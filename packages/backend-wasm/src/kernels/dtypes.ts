/** @file Refusing dtypes that a kernel does not take. */
import { type DType, DTypeError, KERNEL_DTYPES } from '@tessera/core/backend';

/** @throws DTypeError `ERR_KERNEL_DTYPE`. */
export function checkDType(kernel: keyof typeof KERNEL_DTYPES, dtype: DType, taken = KERNEL_DTYPES[kernel]): void {
  if (!taken.includes(dtype))
    throw new DTypeError('ERR_KERNEL_DTYPE', `wasm: ${kernel} takes ${taken.join(', ')}, not ${dtype}`, {
      op: kernel,
      dtypes: [dtype],
      device: 'wasm',
    });
}
