/** @file What is said where a program needs a part that its backend was made without. */
import { NotSupportedError } from '@tessera/core/backend';

export const leftOut = (what: string, part: string): NotSupportedError =>
  new NotSupportedError(
    'ERR_PART_LEFT_OUT',
    `wasm: ${what} was left out of this backend: give the part '${part}' of '@tessera/backend-wasm/parts' (or 'tessera/wasm') to wasmPluginOf([…]); wasmPlugin has all parts`,
    { op: what, device: 'wasm', part },
  );
