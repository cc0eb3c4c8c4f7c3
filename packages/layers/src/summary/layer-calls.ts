/** @file Which modules a forward calls, in what order and within which: the tree that a summary shows. */
import { isTensor, type Module, type RemovableHandle, type Shape, type Tensor } from '@tessera/core';

/** One call of a module, or a module that holds called ones and is not called itself. */
export class LayerCall {
  readonly children: LayerCall[] = [];
  input: Shape | null = null;
  output: Tensor | null = null;

  constructor(
    readonly module: Module,
    /** '' for the model. */
    readonly path: string,
    readonly depth: number,
    /** It was called before in this forward. */
    readonly repeated: boolean,
  ) {}
}

const firstTensor = (x: unknown): Tensor | null => {
  if (isTensor(x)) return x;
  if (Array.isArray(x) || (typeof x === 'object' && x !== null && Object.getPrototypeOf(x) === Object.prototype))
    for (const y of Object.values(x)) {
      const found = firstTensor(y);
      if (found !== null) return found;
    }
  return null;
};

const parentPath = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('.'), 0));
const depthOf = (path: string): number => (path === '' ? 0 : path.split('.').length);

/** Runs `forward` and answers the calls below the model's own, the modules that were not called among them. */
export function layerCalls(model: Module, forward: (() => void) | null): LayerCall {
  const modules = model.namedModules();
  const byPath = new Map(modules);
  const seen = new Set<Module>([model]);
  const root = new LayerCall(model, '', 0, false);
  const open: LayerCall[] = [root];

  /** The call of the module at `path` that is open, or that the innermost open one above it holds. */
  const holderOf = (path: string): LayerCall => {
    const found = open.findLast((call) => call.path === path);
    if (found !== undefined) return found;
    if (path === '') return root;
    const above = holderOf(parentPath(path));
    const held = above.children.findLast((call) => call.path === path);
    return held ?? added(above, path);
  };
  const added = (above: LayerCall, path: string): LayerCall => {
    const module = byPath.get(path)!;
    const call = new LayerCall(module, path, depthOf(path), seen.has(module));
    seen.add(module);
    above.children.push(call);
    return call;
  };

  if (forward !== null) {
    const handles: RemovableHandle[] = modules.flatMap(([path, module]) => [
      module.registerForwardPreHook((_, args) => {
        const call = path === '' ? root : added(holderOf(parentPath(path)), path);
        call.input = firstTensor(args)?.shape ?? null;
        open.push(call);
      }),
      module.registerForwardHook((_, __, output) => {
        open.pop()!.output = firstTensor(output);
      }),
    ]);
    try {
      forward();
    } finally {
      for (const handle of handles) handle.remove();
    }
  }
  for (const [path, module] of modules) if (!seen.has(module)) added(holderOf(parentPath(path)), path);
  return root;
}
