/** @file Trees of tensors: a tensor, or arrays, Maps and plain objects of trees. What functions of `func` take and give. PyTorch: torch.utils._pytree. */
import { ValueError } from '../errors.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/** A tensor, or arrays, Maps and plain objects of them; other values in it are constants. */
export type Tree = unknown;

const isPlain = (x: unknown): x is Record<string, unknown> =>
  typeof x === 'object' && x !== null && Object.getPrototypeOf(x) === Object.prototype;

/** The tree with each tensor replaced, in order. */
export function mapTree(tree: Tree, fn: (t: Tensor) => Tree): Tree {
  if (isTensor(tree)) return fn(tree);
  if (Array.isArray(tree)) return tree.map((x) => mapTree(x, fn));
  if (tree instanceof Map) return new Map([...tree].map(([key, x]) => [key, mapTree(x, fn)]));
  if (isPlain(tree)) return Object.fromEntries(Object.entries(tree).map(([key, x]) => [key, mapTree(x, fn)]));
  return tree;
}

/** The tensors of a tree, in order. */
export function leavesOf(tree: Tree): Tensor[] {
  const found: Tensor[] = [];
  mapTree(tree, (t) => {
    found.push(t);
    return t;
  });
  return found;
}

/** A tree of the same form with other tensors (or anything else) in it. */
export function filledTree(form: Tree, leaves: readonly Tree[]): Tree {
  let at = 0;
  return mapTree(form, () => leaves[at++]);
}

/** The leaves of `tree`, which must have as many as `form`. @throws ValueError `ERR_TREE` */
export function leavesLike(tree: Tree, form: Tree, name: string, what: string): Tensor[] {
  const leaves = leavesOf(tree);
  const wanted = leavesOf(form);
  if (leaves.length !== wanted.length)
    throw new ValueError(
      'ERR_TREE',
      `${name}: ${what} must have the form of what it stands for: ${wanted.length} tensors, not ${leaves.length}`,
      {
        op: name,
      },
    );
  return leaves;
}
