/**
 * @file Kolmogorov-Arnold networks for Tessera.
 *
 * @example
 * import { init, nn } from 'tessera';
 * import { kanPlugin } from 'tessera-layers-kan';
 * await init({ plugins: [kanPlugin] });
 * nn.fromConfig({ format: 'tessera.model', version: 1, model: { type: 'KAN', args: [[2, 5, 1]] } });
 */
import type { LayerProvider, Plugin } from 'tessera';
import { KANLinear } from './kan-linear.js';
import { KAN } from './kan.js';

export { KAN } from './kan.js';
export { KANLinear, type KANLinearOptions } from './kan-linear.js';

export const kanPlugin: Plugin = {
  name: 'tessera-layers-kan',
  version: '0.1.0',
  contract: 1,
  register({ container, core }) {
    for (const module of [KAN, KANLinear]) container.register<LayerProvider>(core.LAYER, { useValue: { name: module.typeName, module } });
  },
};
