/// <reference types="@webgpu/types" />
/**
 * @file The compiler: pipelines, made when they are asked for or aside, many at a time; then the commands that come after wait, in their order, until
 * all are there. Like the executor it travels as source text.
 */
import type { BindingLayout } from './bindings.js';
import type { Faults } from './faults.js';

export interface CompiledKernel {
  readonly gpu: GPUComputePipeline;
  readonly layout: BindingLayout;
  readonly label: string;
}

export interface Compiler {
  /** How many are being compiled aside. While there are some, commands wait. */
  readonly pending: number;
  /** From now on pipelines are compiled aside, or not. */
  aside: boolean;
  create(id: number, layout: BindingLayout, label: string, code: string): void;
  /** Undefined for one that did not compile, which is a fault that the next read reports. */
  find(id: number): CompiledKernel | undefined;
  /** Does it now, or, while pipelines are being compiled aside, when they are there. */
  inOrder(command: () => void): void;
}

export function createCompiler(device: GPUDevice, faults: Faults): Compiler {
  const kernels = new Map<number, CompiledKernel>();
  const held: (() => void)[] = [];
  const compiler = {
    pending: 0,
    aside: false,
    find: (id: number) => kernels.get(id),
    create(id: number, layout: BindingLayout, label: string, code: string): void {
      faults.begin();
      const module = device.createShaderModule({ label, code });
      const descriptor = { label, layout: layout.pipeline, compute: { module, entryPoint: 'main' } };
      if (!compiler.aside) kernels.set(id, { layout, label, gpu: device.createComputePipeline(descriptor) });
      faults.end();
      if (!compiler.aside) return;
      compiler.pending++;
      void device
        .createComputePipelineAsync(descriptor)
        .then(
          (gpu) => void kernels.set(id, { layout, label, gpu }),
          (error: unknown) => faults.add({ kind: 'validation', message: `${label}: ${String(error)}` }),
        )
        .then(compiled);
    },
    inOrder(command: () => void): void {
      if (compiler.pending === 0) command();
      else held.push(command);
    },
  };

  function compiled(): void {
    if (--compiler.pending > 0) return;
    for (const command of held.splice(0)) {
      try {
        command();
      } catch (error) {
        faults.add({ kind: 'internal', message: String(error) });
      }
    }
  }

  return compiler;
}
