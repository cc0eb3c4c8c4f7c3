/** @file The bytes of a generator's state: a compact, versioned layout, the same on every machine. */
import { FormatError } from '../errors.js';
import { MT19937_WORDS } from './mt19937.js';

/** Everything that decides what a generator draws next. */
export interface GeneratorState {
  /** The 64-bit seed that it was last seeded with, in [0, 2^64). */
  seed: bigint;
  /** How many Philox keys it has given out since. */
  philoxKeys: number;
  /** The second half of the last Box-Muller pair, if it has not been used yet. */
  keptNormal: number | null;
  /** How many of `words` have been drawn, 0 to 624. */
  position: number;
  words: Uint32Array;
}

const MAGIC = 0x474e5254; // "TRNG" in the file
const VERSION = 1;
const HEADER_BYTES = 40;

/** The length of an encoded state, in bytes. */
export const GENERATOR_STATE_BYTES = HEADER_BYTES + 4 * MT19937_WORDS;

/**
 * Little-endian: 0 magic "TRNG", 4 uint16 version (1), 6 uint16 position, 8 uint64 seed, 16 float64 Philox keys given,
 * 24 uint64 1 if a normal is kept, else 0, 32 float64 the kept normal, 40 the engine's 624 uint32.
 */
export function encodeGeneratorState(state: GeneratorState): Uint8Array {
  const bytes = new Uint8Array(GENERATOR_STATE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, VERSION, true);
  view.setUint16(6, state.position, true);
  view.setBigUint64(8, state.seed, true);
  view.setFloat64(16, state.philoxKeys, true);
  view.setBigUint64(24, state.keptNormal === null ? 0n : 1n, true);
  view.setFloat64(32, state.keptNormal ?? 0, true);
  state.words.forEach((word, i) => view.setUint32(HEADER_BYTES + 4 * i, word, true));
  return bytes;
}

/**
 * What `encodeGeneratorState` wrote.
 * @throws FormatError ERR_GENERATOR_STATE where the bytes are no such state.
 */
export function decodeGeneratorState(bytes: Uint8Array): GeneratorState {
  if (bytes.length !== GENERATOR_STATE_BYTES) {
    throw broken(`it has ${bytes.length} bytes, and a state has ${GENERATOR_STATE_BYTES}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw broken('it does not begin with "TRNG"');
  const version = view.getUint16(4, true);
  if (version !== VERSION) throw broken(`it has version ${version}, and this build reads version ${VERSION}`);
  const position = view.getUint16(6, true);
  if (position > MT19937_WORDS) throw broken(`its position is ${position}, above ${MT19937_WORDS}`);
  const philoxKeys = view.getFloat64(16, true);
  if (!Number.isSafeInteger(philoxKeys) || philoxKeys < 0) throw broken(`its count of Philox keys is ${philoxKeys}`);
  const kept = view.getBigUint64(24, true);
  if (kept > 1n) throw broken(`its flag for a kept normal is ${kept}`);
  const normal = view.getFloat64(32, true);
  if (!Number.isFinite(normal)) throw broken(`its kept normal is ${normal}`);
  const words = Uint32Array.from({ length: MT19937_WORDS }, (_, i) => view.getUint32(HEADER_BYTES + 4 * i, true));
  return { seed: view.getBigUint64(8, true), philoxKeys, keptNormal: kept === 1n ? normal : null, position, words };
}

function broken(reason: string): FormatError {
  return new FormatError('ERR_GENERATOR_STATE', `setState: this is no state of a Generator: ${reason}`);
}
