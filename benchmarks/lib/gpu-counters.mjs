// Counts what any library asks of WebGPU: the methods of the browser's own classes are wrapped, so that one count serves all.
// Import it before the library.
const counts = { kernels: 0, submits: 0, pipelines: 0, buffers: 0, bytes: 0, writes: 0 };

function wrap(type, name, note) {
  const method = type.prototype[name];
  type.prototype[name] = function (...args) {
    note(...args);
    return method.apply(this, args);
  };
}

const count = (key) => () => void counts[key]++;
if (globalThis.GPUDevice !== undefined) {
  wrap(GPUComputePassEncoder, 'dispatchWorkgroups', count('kernels'));
  wrap(GPUComputePassEncoder, 'dispatchWorkgroupsIndirect', count('kernels'));
  wrap(GPUQueue, 'submit', count('submits'));
  wrap(GPUQueue, 'writeBuffer', count('writes'));
  wrap(GPUDevice, 'createComputePipeline', count('pipelines'));
  wrap(GPUDevice, 'createComputePipelineAsync', count('pipelines'));
  wrap(GPUDevice, 'createBuffer', ({ size }) => {
    counts.buffers++;
    counts.bytes += size;
  });
}

/** As of now; `counted(before)` gives what was done since. */
export const counters = () => ({ ...counts });
export const counted = (before) => Object.fromEntries(Object.entries(counts).map(([key, n]) => [key, n - before[key]]));
