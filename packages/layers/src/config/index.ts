/** @file Models as data. */
export type { LayerDocument, LayerReference, ModelDocument } from './document.js';
export { type ConfigOptions, fromConfig } from './from-config.js';
export type { ModuleClass, MoreLayers } from './registry.js';
export { toConfig, type ToConfigOptions } from './to-config.js';
