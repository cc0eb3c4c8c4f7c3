/** @file What a backend needs of a device, whether it lives in the page or in a worker. */
import type { MatrixConfig } from '../wgsl/matrix-unit.js';
import type { ExecutorCounters } from './executor.js';
import type { Fault } from './faults.js';

/** What the adapter is and allows. */
export interface AdapterFacts {
  readonly description: string;
  readonly vendor: string;
  readonly architecture: string;
  /** A driver that computes on the CPU: SwiftShader, lavapipe, WARP. */
  readonly software: boolean;
  readonly features: readonly string[];
  /** Invocations of a subgroup, at least and at most; null where it is not said. */
  readonly subgroupSizes: readonly [number, number] | null;
  /** What its matrix units multiply; empty where it has none, or they were not asked for. */
  readonly matrixConfigs: readonly MatrixConfig[];
  readonly limits: AdapterLimits;
}

/** The limits that matter here. All that the adapter has is requested. */
export interface AdapterLimits {
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupSizeX: number;
  readonly maxComputeWorkgroupsPerDimension: number;
}

/** Bytes of the flags, which a read may ask for besides. */
export const FLAG_BYTES = 16;
/** The id of the buffer in which kernels raise flags. Ids of other buffers begin after it. */
export const FLAG_BUFFER = 1;

/** An error of the device, thrown by reads. */
export class DeviceFault extends Error {
  constructor(readonly fault: Fault) {
    super(fault.message);
  }
}

/** Commands to a device, in order. Ids are the caller's, and are never used twice. */
export interface DeviceQueue {
  readonly facts: AdapterFacts;
  /** Has `readSync`. */
  readonly synchronous: boolean;
  /** As of the last read or flush, where a worker counts. */
  counters(): ExecutorCounters;
  createPipeline(id: number, reads: number, writes: number, label: string, code: string): void;
  createBuffer(id: number, bytes: number): void;
  destroyBuffer(id: number): void;
  write(id: number, offset: number, bytes: Uint8Array): void;
  dispatch(pipeline: number, x: number, y: number, z: number, ids: Uint32Array, count: number, words: Uint32Array, wordCount: number): void;
  flush(): void;
  /** Null where the device can take more; else a promise of some progress. A worker paces itself. */
  ready(): Promise<void> | null;
  /** While on, pipelines are compiled aside, several at a time, and commands wait for them without anybody waiting. */
  compileAside(on: boolean): void;
  /** From now on each dispatch is timed. */
  beginTiming(): void;
  /** Ends that: the milliseconds of each dispatch, in order. @throws DeviceFault */
  endTiming(): Promise<Float64Array>;
  /** The bytes, and after them the flags if they were asked for. The caller owns them. @throws DeviceFault */
  read(id: number, offset: number, length: number, flags: boolean): Promise<Uint8Array>;
  readSync(id: number, offset: number, length: number, flags: boolean): Uint8Array;
  /** Loses the device, as a driver's reset would. For tests. */
  destroyDevice(): void;
  close(): Promise<void>;
}
