/// <reference types="@webgpu/types" />
/**
 * @file Asks for an adapter and a device with all that the adapter has. It travels to the worker as source text: `openDevice` uses nothing
 * from outside of itself.
 */
import type { AdapterFacts } from './queue.js';

export type Opened = { readonly device: GPUDevice; readonly facts: AdapterFacts } | { readonly reason: string };

/** @param probe Ask for the adapter only: `device` is then missing. */
export async function openDevice(
  gpu: GPU | undefined,
  powerPreference: GPUPowerPreference | undefined,
  timestamps: boolean,
  probe: boolean,
): Promise<Opened | { readonly facts: AdapterFacts }> {
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
  const wanted = ['shader-f16', 'subgroups', 'timestamp-query'] as const;
  const features = wanted.filter((name) => adapter.features.has(name) && (timestamps || name !== 'timestamp-query'));
  const described = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  const facts: AdapterFacts = {
    // Browsers often say no more than the vendor and the architecture.
    description: info.description || info.device || `${info.vendor} ${info.architecture}`.trim(),
    vendor: info.vendor,
    architecture: info.architecture,
    software: info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render|warp/i.test(described),
    // A feature of the language, without which subgroups cannot be told apart.
    features: gpu.wgslLanguageFeatures?.has('subgroup_id') ? [...features, 'subgroup_id'] : features,
    limits,
  };
  if (probe) return { facts };
  const device = await adapter.requestDevice({ requiredFeatures: features, requiredLimits: { ...limits } });
  return { device, facts };
}
