/** @file Memory that is wrong: accounts, copies, claims, and the order in which things happen. */
import type { Backend, BackendBuffer } from '@tessera/core';
import { type Faults, withKernels, withMembers } from './fault.js';

export const MEMORY_FAULTS: Faults = {
  'free gives nothing back': {
    caughtBy: 'memory/account',
    make: withMembers((backend) => {
      // A pool that only ever grows.
      const pool = new Set<unknown>();
      const allocate = backend.allocate.bind(backend);
      return {
        allocate: (dtype, length) => {
          const buffer = allocate(dtype, length);
          pool.add(buffer);
          return buffer as BackendBuffer;
        },
        free: () => {},
      };
    }),
  },
  'all reads share one staging buffer': {
    caughtBy: 'memory/read-is-owned',
    make: withMembers((backend) => {
      const staging = new Uint8Array(1 << 22);
      const readSync = backend.readSync.bind(backend);
      return {
        read: (buffer, offset, length) => {
          const bytes = readSync(buffer as never, offset, length);
          staging.set(bytes);
          return Promise.resolve(staging.subarray(0, bytes.length));
        },
      };
    }),
  },
  'write keeps the host’s bytes until later': {
    caughtBy: 'memory/write-copies',
    make: withMembers((backend) => {
      const write = backend.write.bind(backend);
      const readSync = backend.readSync.bind(backend);
      const pending = new Map<unknown, () => void>();
      return {
        write: (buffer, offset, bytes) => {
          pending.get(buffer)?.();
          pending.set(buffer, () => write(buffer as never, offset, bytes));
        },
        readSync: (buffer, offset, length) => {
          pending.get(buffer)?.();
          pending.delete(buffer);
          return readSync(buffer as never, offset, length);
        },
        read(buffer, offset, length) {
          return Promise.resolve((this as Required<Backend>).readSync(buffer, offset, length));
        },
      };
    }),
  },
  'write takes the whole array that its bytes are a window on': {
    caughtBy: 'memory/write-part-of-an-array',
    make: withMembers((backend) => {
      const write = backend.write.bind(backend);
      return { write: (buffer, offset, bytes) => write(buffer as never, offset, new Uint8Array(bytes.buffer, 0, bytes.length)) };
    }),
  },
  'a part is written at its offset in bytes': {
    caughtBy: 'memory/int32/parts',
    make: withMembers((backend) => {
      const write = backend.write.bind(backend);
      return { write: (buffer, offset, bytes) => write(buffer as never, Math.floor(offset / 4), bytes) };
    }),
  },
  'two buffers share memory': {
    caughtBy: 'memory/distinct',
    make: withMembers((backend) => {
      // A pool that hands out what it finds by size, and forgets to take it out.
      const bySize = new Map<string, unknown>();
      const allocate = backend.allocate.bind(backend);
      return {
        allocate: (dtype, length) => {
          const key = `${dtype} ${length}`;
          if (!bySize.has(key)) bySize.set(key, allocate(dtype, length));
          return bySize.get(key) as BackendBuffer;
        },
        free: () => {},
      };
    }),
  },
  'it claims a dtype that it has not': {
    caughtBy: 'memory/float64/round-trip',
    make: withMembers((backend) => {
      const allocate = backend.allocate.bind(backend);
      return { allocate: (dtype, length) => allocate(dtype === 'float64' ? 'float32' : dtype, length) as BackendBuffer };
    }),
  },
  'it leaves out a dtype that is required': {
    caughtBy: 'memory/claims',
    make: withMembers(({ capabilities }) => ({ capabilities: { ...capabilities, dtypes: ['float32', 'int32', 'bool'] } })),
  },
  'reads overtake kernels': {
    caughtBy: 'memory/order/read',
    make: withKernels((sound) => ({
      // Takes effect in a later task, as on a queue that nobody waits for.
      matmul: (a, b, out) => void setTimeout(() => sound.matmul(a, b, out), 5),
    })),
  },
  'writes overtake kernels': {
    caughtBy: 'memory/order/write',
    make: () => queued((queue, kernel) => queue.push(kernel)),
  },
  'a kernel reads its scalars and views when it runs': {
    caughtBy: 'pointwise/order',
    make: () => queued((queue, kernel) => queue.push(kernel)),
  },
  'it goes on after its end': {
    caughtBy: 'memory/disposed',
    make: withMembers(() => ({ dispose: () => Promise.resolve() })),
  },
  'memory is given away while a kernel still reads it': {
    caughtBy: 'memory/order/free',
    make: () => queued((queue, kernel) => queue.push(kernel), true),
  },
};

/** A backend whose pointwise kernels wait on a queue until somebody reads; writes do not wait. `reusing`: freed buffers are handed out again at once. */
function queued(enqueue: (queue: (() => void)[], kernel: () => void) => void, reusing = false): Backend {
  return withMembers((backend) => {
    const queue: (() => void)[] = [];
    const flush = (): void => queue.splice(0).forEach((kernel) => kernel());
    const { kernels } = backend;
    const readSync = backend.readSync.bind(backend);
    const allocate = backend.allocate.bind(backend);
    const free = backend.free.bind(backend);
    const idle: BackendBuffer[] = [];
    return {
      kernels: {
        ...(kernels as unknown as Backend['kernels']),
        pointwise: (program, scalars, inputs, outputs) =>
          enqueue(queue, () => kernels.pointwise(program, scalars, inputs as never, outputs as never)),
      },
      readSync: (buffer, offset, length) => {
        flush();
        return readSync(buffer as never, offset, length);
      },
      read: (buffer, offset, length) => {
        flush();
        return Promise.resolve(readSync(buffer as never, offset, length));
      },
      ...(reusing && {
        allocate: (dtype, length) => {
          const at = idle.findIndex((buffer) => buffer.dtype === dtype && buffer.length === length);
          return at >= 0 ? idle.splice(at, 1)[0] : (allocate(dtype, length) as BackendBuffer);
        },
        free: (buffer) => (idle.length < 4 ? void idle.push(buffer) : free(buffer as never)),
      }),
    };
  })();
}
