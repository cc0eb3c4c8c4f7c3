/// <reference types="@webgpu/types" />
/**
 * @file The allocator: makes buffers, and knows which of them the device had no memory for. It answers later, so each is made in an error scope of its
 * own: what it says need not be told from what others say. Like the executor it travels as source text.
 */
import type { Fault } from './faults.js';

export interface DeviceBuffer {
  readonly gpu: GPUBuffer;
  /** The number of the submit that was open when it was last bound. */
  used: number;
  /** What had it first: a kernel's label. */
  user: string | null;
}

export interface Allocator {
  create(id: number, bytes: number): DeviceBuffer;
  /** Null where all is answered; else a promise of the answers. */
  settled(): Promise<unknown> | null;
  /** What failed since the last call. */
  takeFault(): Fault | null;
}

export function createAllocator(device: GPUDevice): Allocator {
  const STORAGE = 0x80;
  const COPY_SRC = 0x04;
  const COPY_DST = 0x08;
  /** Ids that one report names; the next has more. */
  const MOST = 100;
  const failed: { readonly id: number; readonly bytes: number; readonly message: string; readonly buffer: DeviceBuffer }[] = [];
  const open = new Set<Promise<unknown>>();

  return {
    create(id, bytes) {
      device.pushErrorScope('out-of-memory');
      const buffer: DeviceBuffer = {
        gpu: device.createBuffer({ label: `buffer ${id}`, size: bytes, usage: STORAGE | COPY_SRC | COPY_DST }),
        used: -1,
        user: null,
      };
      // Rejected where the device is lost, which is told elsewhere.
      const answer: Promise<unknown> = device.popErrorScope().then(
        (error) => {
          open.delete(answer);
          if (error !== null) failed.push({ id, bytes, message: error.message, buffer });
        },
        () => open.delete(answer),
      );
      open.add(answer);
      return buffer;
    },
    settled: () => (open.size === 0 ? null : Promise.all(open)),
    takeFault() {
      if (failed.length === 0) return null;
      const reported = failed.splice(0, MOST);
      const [{ message, bytes, buffer }] = reported;
      return { kind: 'out-of-memory', message, bytes, user: buffer.user, buffers: reported.map(({ id }) => id) };
    },
  };
}
