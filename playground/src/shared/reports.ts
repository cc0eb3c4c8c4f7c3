/** @file What the compute worker tells the page. */

export interface MemoryRow {
  readonly device: string;
  readonly bytes: number;
  readonly pooledBytes: number;
  readonly buffers: number;
}

/** After a step, at most some 30 a second; losses of the steps between are in `losses`. */
export interface StepReport {
  /** Of the last step, counted from 1. */
  readonly step: number;
  readonly epoch: number;
  readonly device: string;
  /** The losses of the steps since the last report, the newest last. */
  readonly losses: readonly number[];
  /** Of the last some batches, from 0 to 1. */
  readonly accuracy: number;
  readonly imagesPerSecond: number;
  readonly kernels: number;
  readonly learningRate: number;
  readonly memory: readonly MemoryRow[];
}

/** After each pass over the training data. */
export interface EpochReport {
  readonly epoch: number;
  readonly step: number;
  /** On the 360 digits of the test split, from 0 to 1. */
  readonly testAccuracy: number;
  readonly testLoss: number;
}

/** A training ended by itself. */
export interface StopReport {
  readonly reason: string;
  readonly code?: string;
  /** 1-based, in the source as JavaScript, where the editor's model failed. */
  readonly position?: { readonly line: number; readonly column: number };
}

export interface LayerRow {
  /** Path from the model, as in stateDict keys. */
  readonly path: string;
  readonly depth: number;
  readonly type: string;
  /** What the brackets of its repr say. */
  readonly details: string;
  /** For a batch of one; of its first call. Empty where it is never called. */
  readonly output: string;
  readonly parameters: number;
  readonly calls: number;
}

export interface ModelSummary {
  readonly device: string;
  readonly name: string;
  readonly layers: readonly LayerRow[];
  readonly parameters: number;
  readonly stepsPerEpoch: number;
}

export interface SwitchReport {
  readonly from: string;
  readonly to: string;
  /** Of the same 64 digits, before and after. */
  readonly before: number;
  readonly after: number;
}

export interface BackendRow {
  readonly id: string;
  readonly version: string | undefined;
  /** What it is on this machine. */
  readonly description: string;
  /** Why it cannot run here. */
  readonly unavailable?: string;
  readonly slow?: string;
}

/** Grey pictures of one size, each 0 to 255. */
export interface Pictures {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly pictures: readonly Uint8ClampedArray[];
  /** How many there are; not all are sent. */
  readonly total: number;
  readonly low: number;
  readonly high: number;
}

export interface Prediction {
  readonly probabilities: readonly number[];
  /** What the network saw: 28x28, 0 to 255. */
  readonly seen: Uint8ClampedArray;
  readonly activations: readonly Pictures[];
}
