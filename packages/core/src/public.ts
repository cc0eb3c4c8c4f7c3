/**
 * @file What people who build and train models use: all that the package `tessera` shows of the core. What only layers, optimizers, backends and tools
 * stand on is in internals.ts; `@tessera/core` has both.
 */
export {
  AutogradError,
  DeviceError,
  DTypeError,
  type ErrorDetails,
  FormatError,
  IndexError,
  isTesseraError,
  MemoryError,
  ModuleError,
  NotSupportedError,
  ShapeError,
  TesseraError,
  ValueError,
} from './errors.js';
export type { Backend, BackendBuffer, Capabilities, KernelTiming, MemoryStats } from './backend/contract.js';
export {
  bfloat16,
  bool,
  canCast,
  type DType,
  DTYPE_INFO,
  type DTypeInfo,
  DTYPES,
  float16,
  float32,
  float64,
  int32,
  isDType,
  promoteTypes,
  type TypedArray,
  uint8,
} from './tensor/dtype.js';
export * from './tensor/dtype-limits.js';
export type { HostArray, NestedArray } from './tensor/host.js';
export { broadcastShapes, type Shape, type Sizes } from './tensor/shape.js';
export { isTensor, type RemovableHandle, Tensor, type TensorJSON } from './tensor/tensor.js';
export { formatTensorAsync, type PrintOptions, setPrintoptions } from './tensor/print.js';
export { detectAnomaly, enableGrad, inferenceMode, isGradEnabled, noGrad, setDetectAnomaly, setGradEnabled } from './autograd/mode.js';
export { backward, grad } from './autograd/backward.js';
export { type GradHook, GradNode, type Rule } from './autograd/node.js';
export { checkpoint, checkpointSequential } from './autograd/checkpoint.js';
export { type CheckedFunction, gradcheck, type GradcheckOptions, gradgradcheck } from './autograd/gradcheck.js';
export type { FunctionContext } from './autograd/function.js';
export * as autograd from './autograd/index.js';
export { autocast, type AutocastOptions, type AutocastRegion, enterAutocast } from './amp/autocast.js';
export type { HalfDType } from './amp/state.js';
export * as amp from './amp/index.js';
export { debug } from './inspect/debug.js';
export { graphOf, type GraphOptions, GraphView, type GraphViewEdge, type GraphViewNode } from './inspect/graph-view.js';
export { memoryReport, type MemoryReport, memoryStats, type TensorOrigin } from './inspect/memory-report.js';
export { recordFunction } from './inspect/observing.js';
export { profile, Profiler, type ProfilerOptions } from './inspect/profiler.js';
export { type ProfilerAction, profilerSchedule, type ProfilerSchedule, type ProfilerScheduleOptions } from './inspect/profiler-schedule.js';
export { Profile, type ProfileRow, type TableOptions } from './inspect/profile.js';
export { installFormatter } from './module/chrome-formatter.js';
export * as func from './func/index.js';
export { keep, Scope, scope } from './memory/scope.js';
export { DEFAULT_SEED, Generator } from './random/generator.js';
export { CONTRACT_VERSION } from './backend/contract.js';
export * from './plugin/plugin.js';
export { Device, type LaunchEvent } from './plugin/device.js';
export { loadPlugins } from './plugin/load-plugins.js';
export { type BackendStatus, type DeviceLike, init, type InitOptions, Runtime, runtimes, toDevice, withRuntime } from './plugin/runtime.js';
export type { DependencyContainer } from './plugin/value-container.js';
export * from './ops/index.js';
export * from './module/index.js';
