/**
 * @file Einstein summation. The equation is read into labels; then operands are contracted in pairs, the cheapest first, each pair as one
 * batched matrix product.
 */
import { kindOf } from '../options.js';
import { ValueError } from '../errors.js';
import { numelOf } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { matmul } from './matmul.js';
import { OPS } from './registry.js';
import { diagonal, permute, reshape, unsqueeze } from './view.js';

/** A tensor with a label for each dim: a letter, or a negative number for a dim that an ellipsis covers (−1 is the last). */
interface Labelled {
  readonly tensor: Tensor;
  readonly labels: readonly Label[];
}
type Label = string | number;

function fail(why: string): never {
  throw new ValueError('ERR_EINSUM', `einsum: einsum(): ${why}`, { op: 'einsum' });
}

/** 'ij...' as labels, where '...' stands for `covered` dims. */
function labelsOf(term: string, covered: number): Label[] {
  const out: Label[] = [];
  let dots = false;
  for (let i = 0; i < term.length; i++) {
    const c = term[i]!;
    if (c === ' ') continue;
    if (c === '.') {
      if (dots || term.slice(i, i + 3) !== '...')
        fail(`found '.' for operand or output that is not part of any valid ellipsis, or a second ellipsis: '${term}'`);
      dots = true;
      i += 2;
      for (let k = covered; k > 0; k--) out.push(-k);
    } else if (/[a-zA-Z]/.test(c)) out.push(c);
    else fail(`invalid subscript given: '${c}', subscripts must be in [a-zA-Z]`);
  }
  return out;
}

const letters = (term: string): number => term.replaceAll(/[^a-zA-Z]/g, '').length;

/** An operand with its repeated labels taken as diagonals. */
function readOperand(tensor: Tensor, term: string): Labelled {
  const named = letters(term);
  const open = term.includes('...');
  if (open ? named > tensor.ndim : named !== tensor.ndim) {
    fail(
      `the number of subscripts in the equation (${named}) ${open ? 'is more than' : 'does not match'} the number of dimensions (${tensor.ndim}) for operand '${term.trim()}'${open ? '' : ' and no ellipsis was given'}`,
    );
  }
  const labels = labelsOf(term, tensor.ndim - named);
  let x = tensor;
  for (let i = 0; i < labels.length; i++) {
    for (let j = labels.indexOf(labels[i]!, i + 1); j >= 0; j = labels.indexOf(labels[i]!, i + 1)) {
      if (x.shape[i] !== x.shape[j])
        fail(
          `subscript ${String(labels[i])} is repeated for operand '${term.trim()}' but the sizes don't match, ${x.shape[j]} != ${x.shape[i]}`,
        );
      const label = labels[i]!;
      x = diagonal(x, 0, i, j);
      labels.splice(j, 1);
      labels.splice(i, 1);
      labels.push(label);
      i = -1;
      break;
    }
    if (i < 0) continue;
  }
  return { tensor: x, labels };
}

/** Labels of the result: as written behind the arrow, or all that come once, in order, after the dims of the ellipsis. */
function outputLabels(arrow: string | null, terms: readonly string[], operands: readonly Labelled[]): Label[] {
  const covered = operands.flatMap((o) => o.labels).reduce<number>((n, l) => (typeof l === 'number' ? Math.max(n, -l) : n), 0);
  if (arrow === null) {
    const all = terms.join('').replaceAll(/[^a-zA-Z]/g, '');
    const once = [...new Set(all)].filter((c) => all.indexOf(c) === all.lastIndexOf(c)).sort();
    return [...Array.from({ length: covered }, (_, i) => i - covered), ...once];
  }
  const labels = labelsOf(arrow, covered);
  for (const label of labels) {
    if (labels.indexOf(label) !== labels.lastIndexOf(label)) fail(`output subscript ${String(label)} appears more than once in the output`);
    if (!operands.some((o) => o.labels.includes(label)))
      fail(`output subscript ${String(label)} does not appear in the equation for any input operand`);
  }
  return labels;
}

/** The size of each label; sizes of 1 stretch. */
function sizesOf(operands: readonly Labelled[]): Map<Label, number> {
  const sizes = new Map<Label, number>();
  for (const { tensor, labels } of operands) {
    labels.forEach((label, d) => {
      const size = tensor.shape[d]!;
      const known = sizes.get(label) ?? 1;
      if (known !== 1 && size !== 1 && known !== size)
        fail(
          `operands do not broadcast with remapped shapes: subscript ${String(label)} has size ${size} for one operand, which does not broadcast with previously seen size ${known}`,
        );
      if (known === 1) sizes.set(label, size);
    });
  }
  return sizes;
}

/** Sums over the labels of an operand that nobody else has. */
function sumAlone(x: Labelled, keep: ReadonlySet<Label>): Labelled {
  const gone = x.labels.map((_, d) => d).filter((d) => !keep.has(x.labels[d]!));
  if (gone.length === 0) return x;
  return { tensor: x.tensor.sum(gone, { dtype: x.tensor.dtype }), labels: x.labels.filter((l) => keep.has(l)) };
}

/** The dims in the order of `labels`; those that it lacks come with size 1. */
function align(x: Labelled, labels: readonly Label[]): Tensor {
  let out = permute(
    x.tensor,
    labels.filter((l) => x.labels.includes(l)).map((l) => x.labels.indexOf(l)),
  );
  labels.forEach((l, d) => {
    if (!x.labels.includes(l)) out = unsqueeze(out, d);
  });
  return out;
}

/** Two operands as one: labels that both have and the rest needs are batches, those that only they have are summed over. */
function contract(a: Labelled, b: Labelled, keep: ReadonlySet<Label>): Labelled {
  const x = sumAlone(a, new Set([...keep, ...b.labels]));
  const y = sumAlone(b, new Set([...keep, ...a.labels]));
  const sizeIn = (t: Labelled, l: Label): number => (t.labels.includes(l) ? t.tensor.shape[t.labels.indexOf(l)]! : 1);
  const shared = x.labels.filter((l) => y.labels.includes(l));
  const batch = shared.filter((l) => keep.has(l));
  let summed = shared.filter((l) => !keep.has(l));
  // A size of 1 against a larger one: the larger side is summed by itself first.
  const uneven = summed.filter((l) => sizeIn(x, l) !== sizeIn(y, l));
  if (uneven.length > 0) {
    const left = new Set(x.labels.filter((l) => !uneven.includes(l)));
    const right = new Set(y.labels.filter((l) => !uneven.includes(l)));
    return contract(sumAlone(x, left), sumAlone(y, right), keep);
  }
  const ofX = x.labels.filter((l) => !shared.includes(l));
  const ofY = y.labels.filter((l) => !shared.includes(l));
  const labels = [...batch, ...ofX, ...ofY];
  if (summed.length === 0) return { tensor: align(x, labels).mul(align(y, labels)), labels };
  summed = [...summed];
  const shapeOf = (t: Labelled, list: readonly Label[]): number[] => list.map((l) => sizeIn(t, l));
  const inner = numelOf(shapeOf(x, summed));
  const left = reshape(align(x, [...batch, ...ofX, ...summed]), [...shapeOf(x, batch), numelOf(shapeOf(x, ofX)), inner]);
  const right = reshape(align(y, [...batch, ...summed, ...ofY]), [...shapeOf(y, batch), inner, numelOf(shapeOf(y, ofY))]);
  const product = matmul(left, right);
  return { tensor: reshape(product, [...product.shape.slice(0, batch.length), ...shapeOf(x, ofX), ...shapeOf(y, ofY)]), labels };
}

/** Which two to contract next: those whose result is smallest against what goes in (opt_einsum's greedy path). */
function cheapest(operands: readonly Labelled[], output: readonly Label[], sizes: ReadonlyMap<Label, number>): [number, number] {
  let best: [number, number] = [0, 1];
  let least = Infinity;
  const size = (labels: readonly Label[]): number => numelOf(labels.map((l) => sizes.get(l)!));
  for (let i = 0; i < operands.length; i++) {
    for (let j = i + 1; j < operands.length; j++) {
      const rest = new Set([...output, ...operands.filter((_, k) => k !== i && k !== j).flatMap((o) => o.labels)]);
      const union = [...new Set([...operands[i]!.labels, ...operands[j]!.labels])];
      const cost = size(union.filter((l) => rest.has(l))) - size(operands[i]!.labels) - size(operands[j]!.labels);
      if (cost < least) {
        least = cost;
        best = [i, j];
      }
    }
  }
  return best;
}

OPS.set('einsum', { name: 'einsum', inputs: 2, differentiable: true });
/**
 * Sums of products by Einstein's notation: a letter for each dim; letters that are not in the output are summed over, repeated ones in one
 * operand take its diagonal, '...' stands for the dims that are not named. PyTorch: torch.einsum.
 *
 * @example einsum('bij,bjk->bik', a, b) // a batched matrix product
 * @example einsum('ii', a) // the trace
 * @throws ValueError `ERR_EINSUM`
 */
export function einsum(equation: string, ...operands: readonly Tensor[] | readonly [readonly Tensor[]]): Tensor {
  const given = (operands.length === 1 && !isTensor(operands[0]) ? operands[0] : operands) as readonly Tensor[];
  if (typeof equation !== 'string') fail(`the equation comes first, einsum('ij,jk->ik', a, b), and this is ${kindOf(equation)}`);
  if (given.length === 0) fail('must provide at least one operand');
  const [inputs, arrow, more] = equation.split('->') as [string, string | undefined, string | undefined];
  if (more !== undefined) fail(`found more than one '->' in '${equation}'`);
  const terms = inputs.split(',');
  if (terms.length !== given.length)
    fail(
      `${terms.length > given.length ? 'more' : 'fewer'} operands were provided than specified in the equation: '${equation}' names ${terms.length}, there are ${given.length}`,
    );
  let left: Labelled[] = given.map((t, i) => readOperand(t, terms[i]!));
  const output = outputLabels(arrow ?? null, terms, left);
  const sizes = sizesOf(left);
  while (left.length > 1) {
    const [i, j] = cheapest(left, output, sizes);
    const rest = left.filter((_, k) => k !== i && k !== j);
    left = [contract(left[i]!, left[j]!, new Set([...output, ...rest.flatMap((o) => o.labels)])), ...rest];
  }
  return align(sumAlone(left[0]!, new Set(output)), output);
}
