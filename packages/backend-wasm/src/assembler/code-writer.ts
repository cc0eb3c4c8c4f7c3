/** @file A growing run of bytes in WebAssembly's encodings. */

const scratch = new DataView(new ArrayBuffer(8));
const utf8 = new TextEncoder();

/**
 * Vector constants in memory. V8 makes a `v128.const` in a register by three to five instructions, two of them on one port; a load that fills all
 * lanes is one, on a port that arithmetic does not need. Functions without loops run up to twice as fast so (pow: 58 to 24 ns an element).
 */
export interface ConstantPool {
  /** Where `size` bytes with these contents lie, for good; −1 where there is no more room. */
  addressOf(bytes: Uint8Array, size: 4 | 8 | 16): number;
}

export class CodeWriter {
  /** Takes vector constants out of the code. */
  pool: ConstantPool | null = null;
  bytes = new Uint8Array(256);
  length = 0;

  #room(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.#room(1);
    this.bytes[this.length++] = value;
  }

  /** An unsigned integer below 2^32, in LEB128. */
  u32(value: number): void {
    let rest = value >>> 0;
    while (rest > 127) {
      this.byte((rest & 127) | 128);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** A signed 32-bit integer, in LEB128. */
  s32(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 127;
      rest >>= 7;
      if ((rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0)) return this.byte(low);
      this.byte(low | 128);
    }
  }

  /** A signed 64-bit integer, in LEB128. */
  s64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    for (;;) {
      const low = Number(rest & 127n);
      rest >>= 7n;
      if ((rest === 0n && (low & 64) === 0) || (rest === -1n && (low & 64) !== 0)) return this.byte(low);
      this.byte(low | 128);
    }
  }

  f32(value: number): void {
    scratch.setFloat32(0, value, true);
    for (let i = 0; i < 4; i++) this.byte(scratch.getUint8(i));
  }

  f64(value: number): void {
    scratch.setFloat64(0, value, true);
    for (let i = 0; i < 8; i++) this.byte(scratch.getUint8(i));
  }

  raw(bytes: ArrayLike<number>, count = bytes.length): void {
    this.#room(count);
    for (let i = 0; i < count; i++) this.bytes[this.length + i] = bytes[i];
    this.length += count;
  }

  /** The length of `other`, then its bytes. */
  sized(other: CodeWriter): void {
    this.u32(other.length);
    this.#room(other.length);
    this.bytes.set(other.bytes.subarray(0, other.length), this.length);
    this.length += other.length;
  }

  name(text: string): void {
    const bytes = utf8.encode(text);
    this.u32(bytes.length);
    this.raw(bytes);
  }

  /** A section: its number, its length, what `write` writes. */
  section(id: number, write: (body: CodeWriter) => void): void {
    const body = new CodeWriter();
    write(body);
    this.byte(id);
    this.sized(body);
  }

  /** The bytes so far, in an array of their own. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }
}
