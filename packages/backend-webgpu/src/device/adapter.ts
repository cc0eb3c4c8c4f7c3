/// <reference types="@webgpu/types" />
/**
 * @file Asks for an adapter and a device with all that the adapter has. It travels to the worker as source text: `openDevice` uses nothing
 * from outside of itself.
 */
import type { MatrixConfig } from '../wgsl/matrix-unit.js';
import type { AdapterFacts } from './queue.js';
import type { StartOptions } from './start.js';

export type Opened = { readonly device: GPUDevice; readonly facts: AdapterFacts } | { readonly reason: string };

/** What to ask for. It travels too. */
export interface OpenOptions {
  readonly powerPreference?: GPUPowerPreference | undefined;
  /** The device's clock. Default true. */
  readonly timestamps?: boolean | undefined;
  /** WGSL's experimental extension for matrix units. Default false. */
  readonly subgroupMatrices?: boolean | undefined;
  /** Ask for the adapter only: `device` is then missing. */
  readonly probe?: boolean | undefined;
}

/** What of a start's options is for the opening of a device. */
export const openOptions = ({ powerPreference, timestamps, subgroupMatrices }: StartOptions): OpenOptions => ({
  powerPreference,
  timestamps,
  subgroupMatrices: subgroupMatrices === true,
});

export async function openDevice(gpu: GPU | undefined, options: OpenOptions): Promise<Opened | { readonly facts: AdapterFacts }> {
  const { powerPreference, timestamps = true, subgroupMatrices = false, probe = false } = options;
  if (gpu === undefined) return { reason: 'navigator.gpu is missing: this browser has no WebGPU, or the page is no secure context' };
  const adapter = await gpu.requestAdapter(powerPreference === undefined ? {} : { powerPreference });
  if (adapter === null)
    return { reason: 'WebGPU finds no adapter: no GPU driver (on Linux: no Vulkan driver) is installed, or the browser blocks it' };
  const { info } = adapter;
  const names = [
    'maxStorageBuffersPerShaderStage',
    'maxStorageBufferBindingSize',
    'maxBufferSize',
    'maxComputeWorkgroupStorageSize',
    'maxComputeInvocationsPerWorkgroup',
    'maxComputeWorkgroupSizeX',
    'maxComputeWorkgroupsPerDimension',
  ] as const;
  const limits = Object.fromEntries(names.map((name) => [name, adapter.limits[name]])) as unknown as AdapterFacts['limits'];
  // Not all are in the library's types yet.
  const wanted = [
    'shader-f16',
    'subgroups',
    ...(timestamps ? ['timestamp-query'] : []),
    ...(subgroupMatrices ? ['chromium-experimental-subgroup-matrix', 'subgroup-size-control'] : []),
  ] as GPUFeatureName[];
  const features: GPUFeatureName[] = wanted.filter((name) => adapter.features.has(name));
  const { subgroupMatrixConfigs = [] } = info as unknown as { readonly subgroupMatrixConfigs?: readonly MatrixConfig[] };
  const described = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  const facts: AdapterFacts = {
    // Browsers often say no more than the vendor and the architecture.
    description: info.description || info.device || `${info.vendor} ${info.architecture}`.trim(),
    vendor: info.vendor,
    architecture: info.architecture,
    software: info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render|warp/i.test(described),
    // A feature of the language, without which subgroups cannot be told apart.
    features: gpu.wgslLanguageFeatures?.has('subgroup_id') ? [...features, 'subgroup_id'] : features,
    subgroupSizes: info.subgroupMaxSize > 0 ? [info.subgroupMinSize, info.subgroupMaxSize] : null,
    // Objects of the browser's own, which do not travel.
    matrixConfigs: [...subgroupMatrixConfigs].map(({ componentType, resultComponentType, M, N, K }) => ({
      componentType,
      resultComponentType,
      M,
      N,
      K,
    })),
    limits,
  };
  if (probe) return { facts };
  const device = await adapter.requestDevice({ requiredFeatures: features, requiredLimits: { ...limits } });
  return { device, facts };
}
