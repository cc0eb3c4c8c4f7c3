/** @file What is tested: a device that runs, the framework around it, and what the device says that it can do. */
import { type Backend, type Device, type DType, manualSeed } from '@tessera/core';
import type { Library } from './library.js';

/** A started device, which is the default device of the current runtime as long as the kit runs. */
export interface Subject {
  readonly name: string;
  readonly device: Device;
  readonly library: Library;
  /** Makes another backend of the same kind, which is the caller's to end; null where one was handed in. */
  readonly another: (() => Promise<Backend>) | null;
}

export function hasDType({ device }: Subject, dtype: DType): boolean {
  return device.backend.capabilities.dtypes.includes(dtype);
}

/** Random numbers start over, so that a case does not depend on those before it. */
export function seed(value: number): void {
  manualSeed(value);
}
