/** @file Copies of a layer, as the stacks of a transformer are made of. */
import { isModule, type Module, ModuleError, runtimes, typeNameOf } from '@tessera/core';

/** A layer that can make another one like itself. */
export interface Clonable<T> {
  /** A layer with the same options, and parameters of its own that have the same values. PyTorch: copy.deepcopy. */
  clone(): T;
}

/** A layer to be copied, or a function that makes the layer of each place. */
export type LayerSource<T extends Module> = (T & Clonable<T>) | ((index: number) => T);

/** Copies values and modes from one module to another of the same structure. */
export function likeOriginal<T extends Module>(copy: T, original: Module): T {
  copy.loadStateDict(original.stateDict());
  const from = original.modules();
  copy.modules().forEach((m, i) => (m.training = from[i]!.training));
  const learnt = original.parameters();
  copy.parameters().forEach((p, i) => p.requiresGrad_(learnt[i]!.requiresGrad));
  return copy;
}

/** Makes layers without leaving a trace in the generator: copies draw no numbers. */
export function withoutDrawing<T>(make: () => T): T {
  const { generator } = runtimes.current;
  const state = generator.getState();
  try {
    return make();
  } finally {
    generator.setState(state);
  }
}

/**
 * `count` layers that begin equal, or what the function makes.
 * @throws ModuleError `ERR_NO_CLONE` for a layer that cannot copy itself.
 */
export function layersFrom<T extends Module>(source: LayerSource<T>, count: number, name: string): T[] {
  if (!isModule(source)) return Array.from({ length: count }, (_, i) => source(i));
  const layer = source as T & Partial<Clonable<T>>;
  if (typeof layer.clone !== 'function') {
    throw new ModuleError(
      'ERR_NO_CLONE',
      `${name}: a ${typeNameOf(source)} has no clone() to copy it with; give a function that makes the layers`,
    );
  }
  return withoutDrawing(() => Array.from({ length: count }, () => layer.clone!()));
}
