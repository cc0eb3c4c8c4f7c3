/** @file A backend that measures before it hands on: put in a device's place of it while a profiler runs, so that nothing is asked when none does. */
import type { Backend, BackendBuffer } from '../backend/contract.js';
import { type DType, DTYPE_INFO } from '../tensor/dtype.js';
import type { Device } from '../plugin/device.js';

/** Who wants to know of memory and of copies between the host and the device. */
export interface BackendListener {
  /** Bytes of a buffer that was made; negative, of one that was freed. */
  memory(device: Device, bytes: number): void;
  beginTransfer(): void;
  endTransfer(device: Device, name: 'read' | 'write', bytes: number): void;
}

type Method = (...args: never[]) => unknown;

/** `backend` with what concerns memory told to `listener`. Its other members are its own. */
export function measuredBackend(device: Device, backend: Backend, listener: BackendListener): Backend {
  const bytesOf = (buffer: BackendBuffer): number => buffer.length * DTYPE_INFO[buffer.dtype].size;
  const transfer = <R>(name: 'read' | 'write', run: () => R, bytes: (result: R) => number): R => {
    listener.beginTransfer();
    const result = run();
    listener.endTransfer(device, name, bytes(result));
    return result;
  };
  const own = new Map<string | symbol, Method>();
  own.set('allocate', (dtype: DType, length: number) => {
    const buffer = backend.allocate(dtype, length);
    listener.memory(device, bytesOf(buffer));
    return buffer;
  });
  own.set('free', (buffer: BackendBuffer) => {
    listener.memory(device, -bytesOf(buffer));
    backend.free(buffer);
  });
  own.set('write', (buffer: BackendBuffer, offset: number, bytes: Uint8Array) =>
    transfer(
      'write',
      () => backend.write(buffer, offset, bytes),
      () => bytes.length,
    ),
  );
  if (backend.readSync !== undefined)
    own.set('readSync', (buffer: BackendBuffer, offset: number, length: number) =>
      transfer(
        'read',
        () => backend.readSync!(buffer, offset, length),
        (bytes) => bytes.length,
      ),
    );
  return new Proxy(backend, {
    get(target, key) {
      let method = own.get(key);
      if (method !== undefined) return method;
      const value = Reflect.get(target, key, target) as unknown;
      if (typeof value !== 'function') return value;
      // Private fields are the backend's, not the proxy's.
      own.set(key, (method = (value as Method).bind(target) as Method));
      return method;
    },
  });
}
