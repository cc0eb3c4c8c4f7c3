/** @file The program that lazy-backends.test.ts bundles. */
import { init, tensor } from '../src/index.js';

export async function run(device: string): Promise<[device: string, values: unknown]> {
  const { id } = await init({ device });
  return [id, tensor([1, 2]).mul(2).toArray()];
}
