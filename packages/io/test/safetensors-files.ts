/** @file Files to test the safetensors reader with, and what it says of them. */
import { isTesseraError } from '@tessera/core';
import type { TesseraError } from '@tessera/core';

/**
 * A file from the text (or the bytes) of its header and the number of its data bytes, which count up from 0.
 * @param length The length of the header that the file claims, if it is not the true one.
 */
export function fileOf(header: string | Uint8Array, dataBytes: number, length?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + text.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  file.set(text, 8);
  for (let i = 0; i < dataBytes; i++) file[8 + text.length + i] = i;
  return file;
}

/** The header of a valid file. */
export function headerOf(file: Uint8Array): { length: number; text: string } {
  const length = new DataView(file.buffer, file.byteOffset).getUint32(0, true);
  return { length, text: new TextDecoder().decode(file.subarray(8, 8 + length)) };
}

/** The framework's error that a call throws, undefined where it returns; an error without a code passes through. */
export function errorOf(run: () => unknown): TesseraError | undefined {
  try {
    run();
  } catch (error) {
    if (isTesseraError(error)) return error;
    throw error;
  }
  return undefined;
}

export const codeOf = (run: () => unknown): string => errorOf(run)?.code ?? 'none';
