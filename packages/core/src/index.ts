/** @file The core of Tessera: tensors, autograd, modules and the kernel contract that backends implement. */
import * as core from './index.js';
import './plugin/container.js';
import './plugin/check-plugin.js';
import { Runtime } from './plugin/runtime.js';
import { Generator } from './random/generator.js';
import { generators } from './random/generators.js';
import './ops/methods.js';

export * from './errors.js';
export { checkOptions, kindOf, type OptionNames, refuseMore } from './options.js';
export { refusePythonNames, renamed } from './renamed.js';
export { didYouMean } from './suggest.js';
export { installFormatter } from './module/chrome-formatter.js';
export * from './backend/index.js';
export * from './tensor/dtype.js';
export * from './tensor/dtype-limits.js';
export * from './tensor/half.js';
export { type HostArray, type NestedArray } from './tensor/host.js';
export {
  broadcastShapes,
  contiguousStrides,
  isContiguous,
  normalizeDim,
  normalizeDims,
  numelOf,
  sameShape,
  type Shape,
  type Sizes,
} from './tensor/shape.js';
export { Update } from './tensor/update.js';
export { isTensor, type RemovableHandle, Tensor, type TensorJSON } from './tensor/tensor.js';
export { formatTensorAsync, type PrintOptions, setPrintoptions } from './tensor/print.js';
export * from './autograd/mode.js';
export { backward, grad } from './autograd/backward.js';
export { GradNode, type GradHook, type Rule } from './autograd/node.js';
export { checkpoint, checkpointSequential } from './autograd/checkpoint.js';
export { type CheckedFunction, gradcheck, type GradcheckOptions, gradgradcheck } from './autograd/gradcheck.js';
export * as autograd from './autograd/index.js';
export { autocast, type AutocastOptions, type AutocastRegion, enterAutocast } from './amp/autocast.js';
export { asFloat32, asHalf, asWidest } from './amp/policy.js';
export { autocasting, type HalfDType } from './amp/state.js';
export * as amp from './amp/index.js';
export { debug } from './inspect/debug.js';
export { graphOf, type GraphOptions, GraphView, type GraphViewEdge, type GraphViewNode } from './inspect/graph-view.js';
export { memoryReport, type MemoryReport, memoryStats, type TensorOrigin } from './inspect/memory-report.js';
export { recordFunction } from './inspect/observing.js';
export { profile, Profiler, type ProfilerOptions } from './inspect/profiler.js';
export { type ProfilerAction, profilerSchedule, type ProfilerSchedule, type ProfilerScheduleOptions } from './inspect/profiler-schedule.js';
export { Profile, type ProfileRow, type TableOptions } from './inspect/profile.js';
export * as func from './func/index.js';
export type { FunctionContext } from './autograd/function.js';
export * from './memory/scope.js';
export * from './random/index.js';
export * from './plugin/plugin.js';
export { Device, type LaunchEvent } from './plugin/device.js';
export { loadPlugins } from './plugin/load-plugins.js';
export { type BackendStatus, type DeviceLike, init, type InitOptions, Runtime, runtimes, toDevice, withRuntime } from './plugin/runtime.js';
export type { DependencyContainer } from './plugin/value-container.js';
export * from './ops/index.js';
export * from './module/index.js';

generators.make = () => new Generator();
Runtime.provideCore(core);
