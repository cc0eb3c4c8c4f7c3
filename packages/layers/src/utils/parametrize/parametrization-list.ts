/** @file The parametrizations of one tensor of a module, and what they are computed from. */
import { Buffer, isParameter, isTensor, type Module, ModuleError, noGrad, Parameter, type Tensor } from '@tessera/core';
import { ModuleList } from '../../containers/module-list.js';

/**
 * A module that computes a weight from what is learnt. `rightInverse`, where it has one, says what is to be learnt for a given weight to come
 * out; the first of a tensor's parametrizations may answer several tensors, which its `forward` then takes.
 */
export type Parametrization = Module & {
  forward(...originals: Tensor[]): Tensor;
  rightInverse?(weight: Tensor): Tensor | readonly Tensor[];
};

type Run = (...originals: readonly Tensor[]) => Tensor;
const run = (p: Parametrization, originals: readonly Tensor[]): Tensor => (p as unknown as Run)(...originals);

const fail = (why: string): never => {
  throw new ModuleError('ERR_PARAMETRIZATION', why);
};

/**
 * One after the other, from `original` (or `original0`, `original1`, …), which is what the module learns or keeps now. Its keys in a state_dict are
 * `parametrizations.weight.original`, and those of the parametrizations `parametrizations.weight.0.…`. PyTorch: nn.utils.parametrize.ParametrizationList.
 */
export class ParametrizationList extends ModuleList<Parametrization> {
  static override readonly typeName = 'ParametrizationList';
  /** How many originals there are, where the first parametrization takes several; null for one. */
  readonly #count: number | null;
  readonly #unsafe: boolean;

  /** @throws ModuleError `ERR_PARAMETRIZATION` where shape or dtype would change, unless `unsafe`. */
  constructor(parametrizations: readonly Parametrization[], original: Tensor, unsafe = false) {
    super(parametrizations);
    this.#unsafe = unsafe;
    const learnt = noGrad(() => inverseOf(parametrizations, original.detach()));
    const member = (value: Tensor): Parameter | Buffer =>
      isParameter(original) ? new Parameter(value.detach(), original.requiresGrad && value.isFloatingPoint()) : new Buffer(value.detach());
    if (isTensor(learnt)) {
      this.#count = null;
      if (!unsafe && (learnt.shape.join() !== original.shape.join() || learnt.dtype !== original.dtype)) {
        fail(
          `rightInverse must give a tensor of the shape and dtype of the weight, (${original.shape.join(', ')}) and ${original.dtype}, but gave (${learnt.shape.join(', ')}) and ${learnt.dtype}`,
        );
      }
      // The parameter stays the one that optimizers have.
      let kept = isParameter(original) ? original : member(learnt);
      if (learnt !== original && isParameter(original)) {
        if (unsafe && learnt.shape.join() !== original.shape.join()) kept = member(learnt);
        else noGrad(() => original.copy_(learnt));
      }
      this.#put('original', kept);
    } else {
      this.#count = learnt.length;
      learnt.forEach((value, i) => this.#put(`original${i}`, member(value)));
    }
    if (unsafe) return;
    const out = noGrad(() => this.compute());
    if (!isTensor(out)) fail(`a parametrization must return a tensor, got ${typeof out}`);
    if (out.dtype !== original.dtype || out.shape.join() !== original.shape.join()) {
      fail(
        `Registering a parametrization may not change the dtype or the shape of the tensor: (${original.shape.join(', ')}), ${original.dtype} became (${out.shape.join(', ')}), ${out.dtype}; pass unsafe to allow it`,
      );
    }
  }

  /** A property of its own: numbers are the parametrizations. */
  #put(name: string, value: Parameter | Buffer): void {
    (this as unknown as Record<string, unknown>)[name] = value;
  }

  /** What the first parametrization takes. */
  originals(): Tensor[] {
    const fields = this as unknown as Readonly<Record<string, Tensor>>;
    return this.#count === null ? [fields.original!] : Array.from({ length: this.#count }, (_, i) => fields[`original${i}`]!);
  }

  /** Is there one original, rather than several? PyTorch: is_tensor. */
  get isTensor(): boolean {
    return this.#count === null;
  }

  /** Does it allow other shapes and dtypes? */
  get unsafe(): boolean {
    return this.#unsafe;
  }

  /** The weight. */
  compute(): Tensor {
    const [first, ...rest] = [...this];
    let out = run(first!, this.originals());
    for (const p of rest) out = run(p, [out]);
    return out;
  }

  /** Writes what has to be learnt for `value` to come out. PyTorch: right_inverse. @throws ModuleError `ERR_PARAMETRIZATION`. */
  rightInverse(value: Tensor): void {
    noGrad(() => {
      const learnt = inverseOf([...this], value.detach());
      const list = isTensor(learnt) ? [learnt] : learnt;
      const originals = this.originals();
      if (list.length !== originals.length) fail(`rightInverse must give ${originals.length} tensors, but gave ${list.length}`);
      originals.forEach((original, i) => original.copy_(list[i]!));
    });
  }
}

/** Through the inverses from the last to the first. One without an inverse must begin where the weight is. */
function inverseOf(parametrizations: readonly Parametrization[], weight: Tensor): Tensor | readonly Tensor[] {
  let value: Tensor | readonly Tensor[] = weight;
  for (const p of [...parametrizations].reverse()) {
    if (p.rightInverse === undefined) continue;
    if (!isTensor(value)) return fail('only the first parametrization may give several tensors from its rightInverse');
    value = p.rightInverse(value);
  }
  return value;
}
