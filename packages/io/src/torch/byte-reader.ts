/** @file Reading a pickle's bytes, little-endian, never past the end. */
import { FormatError } from '@tessera/core';

export class ByteReader {
  offset = 0;
  readonly #view: DataView;
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor(readonly source: Uint8Array) {
    this.#view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  }

  #take(count: number): number {
    const at = this.offset;
    if (!(count >= 0 && count <= this.source.length - at))
      throw new FormatError('ERR_PICKLE', `pickle: it ends at byte ${this.source.length}, in the middle of a value`);
    this.offset = at + count;
    return at;
  }

  /** A length that was read, which must still be there. */
  length(count: number): number {
    if (count > this.source.length - this.offset) this.#take(count);
    return count;
  }

  u8 = (): number => this.#view.getUint8(this.#take(1));
  u16 = (): number => this.#view.getUint16(this.#take(2), true);
  u32 = (): number => this.#view.getUint32(this.#take(4), true);
  i32 = (): number => this.#view.getInt32(this.#take(4), true);
  /** As a number: one beyond 2^53 is beyond any file too. */
  u64 = (): number => Number(this.#view.getBigUint64(this.#take(8), true));
  f64BigEndian = (): number => this.#view.getFloat64(this.#take(8), false);

  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return new Uint8Array(this.source.subarray(at, at + count));
  }

  text(count: number): string {
    const at = this.#take(count);
    try {
      return this.#text.decode(this.source.subarray(at, at + count));
    } catch {
      throw new FormatError('ERR_PICKLE', `pickle: the text at byte ${at} is not UTF-8`);
    }
  }

  /** Up to a line feed, which is left out. */
  line(): string {
    const end = this.source.indexOf(10, this.offset);
    if (end < 0 || end - this.offset > 1000) throw new FormatError('ERR_PICKLE', `pickle: the name at byte ${this.offset} does not end`);
    const text = this.text(end - this.offset);
    this.offset++;
    return text;
  }

  /** A whole number in two's complement, of any length up to 256 bytes; a bigint beyond 2^53. */
  long(count: number): number | bigint {
    if (count > 256) throw new FormatError('ERR_PICKLE', `pickle: a whole number of ${count} bytes`);
    const at = this.#take(count);
    let value = 0n;
    for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.source[at + i]!);
    if (count > 0 && this.source[at + count - 1]! >= 128) value -= 1n << BigInt(8 * count);
    return value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : value;
  }
}
