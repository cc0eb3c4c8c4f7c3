/** @file The safetensors format: https://github.com/huggingface/safetensors#format */
export { SAFETENSORS_BITS } from './dtypes.js';
export type { SafetensorsDType, SafetensorsTensor } from './dtypes.js';
export { fromHostArray, int32ToInt64Bytes, int64ToInt32, toHostArray } from './host-array.js';
export type { HostArray } from './host-array.js';
export { parseSafetensors } from './parse.js';
export type { SafetensorsFile } from './parse.js';
export { serializeSafetensors } from './serialize.js';
export { loadSafetensors, saveSafetensors, saveSafetensorsAsync } from './tensors.js';
export type { LoadOptions, NamedTensors, SaveOptions } from './tensors.js';
