/// <reference types="@webgpu/types" />
/** @file Staging buffers, through which reads go, kept for the next ones. Like the executor it travels as source text. */

export interface Staging {
  /** One of `bytes` or more. */
  take(bytes: number): GPUBuffer;
  /** It is unmapped and can be used again. */
  give(buffer: GPUBuffer): void;
}

export function createStaging(device: GPUDevice): Staging {
  const COPY_DST = 0x08;
  const MAP_READ = 0x01;
  /** Kept at most. */
  const COUNT = 8;
  const BYTES = 1 << 26;
  const free: GPUBuffer[] = [];

  return {
    take(bytes) {
      let capacity = 4096;
      while (capacity < bytes) capacity *= 2;
      const at = free.findIndex((buffer) => buffer.size === capacity);
      return at >= 0 ? free.splice(at, 1)[0] : device.createBuffer({ label: 'staging', size: capacity, usage: MAP_READ | COPY_DST });
    },
    give(buffer) {
      free.push(buffer);
      while (free.length > COUNT) free.shift()!.destroy();
      let kept = free.reduce((sum, { size }) => sum + size, 0);
      while (kept > BYTES && free.length > 1) {
        const first = free.shift()!;
        kept -= first.size;
        first.destroy();
      }
    },
  };
}
