/** @file What any layer must do, whoever wrote it: `checkLayer`. */
import type { Module, Plugin, Tensor } from '@tessera/core';
import type { MoreLayers } from '@tessera/layers';
import type { TestRunner } from '../conform.js';
import { LAYER_CHECKS } from './checks.js';
import { withDevice } from './device.js';

/** A layer with the inputs that it is tried on. */
export interface LayerCase {
  /** Shown as the title of its tests. Default: its number. */
  readonly name?: string;
  /** Makes the layer; random numbers are seeded before. */
  readonly layer: () => Module;
  /** Makes what it is called with, small: gradients are checked by differences of each element. Random numbers are seeded before. */
  readonly inputs: () => readonly Tensor[];
  /** The shape of its output; of each output where it gives several. */
  readonly shape: readonly number[] | readonly (readonly number[])[];
  /** The dtype of its output for float32 inputs. Default float32. */
  readonly dtype?: string;
  /** The first line of its text. Default: not checked, but that it begins with the layer's name. */
  readonly repr?: string;
  /** Leave out the check of gradients, with the reason: a layer with jumps has none that differences could tell. */
  readonly noGradcheck?: string;
  /** Does it draw random numbers while it trains? Then only the same seed must give the same. Default false. */
  readonly random?: boolean;
}

export interface CheckLayerOptions {
  /** The runner's functions. */
  readonly test: TestRunner;
  readonly cases: readonly LayerCase[];
  /** Shown as the title of the tests. Default 'the layer'. */
  readonly name?: string;
  /** The classes, for the check of JSON, where no plugin registers them; those of nn are known. */
  readonly layers?: MoreLayers;
  /** Registers the layers (and may bring devices). */
  readonly plugins?: readonly Plugin[];
  /** The devices to run on, cpu first: they must give the same. Those that cannot run here are left out. Default cpu and wasm. */
  readonly devices?: readonly string[];
}

/**
 * Declares the tests of a layer: shapes and dtypes; training and inference; the state, through a state_dict and a file's bytes; that gradients are right
 * and reach every parameter; that devices agree; how it prints; and that it comes back from JSON.
 *
 * @example
 * checkLayer({
 *   test: { describe, it },
 *   layers: [KANLinear],
 *   cases: [{ layer: () => new KANLinear(3, 2), inputs: () => [randn(4, 3)], shape: [4, 2] }],
 * });
 */
export function checkLayer(options: CheckLayerOptions): void {
  const { test, cases, devices = ['cpu', 'wasm'] } = options;
  test.describe(options.name ?? 'the layer', () => {
    for (const [i, one] of cases.entries()) {
      test.describe(one.name ?? `case ${i + 1}`, () => {
        for (const check of LAYER_CHECKS) {
          if (check.applies?.(one) === false) continue;
          test.it(check.name, () =>
            withDevice(devices, options.plugins ?? [], (device) => check.run(one, { ...options, devices, device })),
          );
        }
      });
    }
  });
}
