/** @file autocast: products in half precision, what needs range and accuracy in float32. PyTorch: torch.autocast. */
import { checkOptions, type OptionNames } from '../options.js';
import { AutogradError, DTypeError } from '../errors.js';
import { clearAutocastCache } from './policy.js';
import { type AutocastState, autocasting, type HalfDType } from './state.js';

export interface AutocastOptions {
  /** What products are computed in. Default 'float16'. */
  readonly dtype?: HalfDType;
  /** false switches autocast off in a part of a region that has it on. Default true. */
  readonly enabled?: boolean;
  /** Keep lowered weights until the outermost region ends. Default true. */
  readonly cacheEnabled?: boolean;
}

/** An open region of autocast. It ends by `exit()`, or by `using`. */
export interface AutocastRegion {
  /** Gives back what was in effect before. @throws AutogradError `ERR_AUTOCAST_ORDER` when a region that was opened later is still open. */
  exit(): void;
  [Symbol.dispose](): void;
}

const AUTOCAST_OPTIONS: OptionNames<AutocastOptions> = { dtype: true, enabled: true, cacheEnabled: true };

const open: AutocastState[] = [];

/**
 * Opens a region of autocast that ends at `exit()`: for code with an `await` in it. While it is open everything that runs in this thread is under
 * it, other asynchronous code too; keep it around the forward, and prefer {@link autocast} where the forward is synchronous.
 *
 * @example
 * const region = enterAutocast('bfloat16');
 * try { loss = criterion(model(await nextBatch()), target); } finally { region.exit(); }
 * @throws DTypeError `ERR_AUTOCAST_DTYPE` for a dtype that is no half.
 */
export function enterAutocast(options: HalfDType | AutocastOptions = {}): AutocastRegion {
  const {
    dtype = 'float16',
    enabled = true,
    cacheEnabled = true,
  }: AutocastOptions = typeof options === 'string' ? { dtype: options } : checkOptions('autocast', options, AUTOCAST_OPTIONS);
  if (dtype !== 'float16' && dtype !== 'bfloat16')
    throw new DTypeError('ERR_AUTOCAST_DTYPE', `autocast: computes in float16 or bfloat16, not ${String(dtype)}`, { op: 'autocast' });
  const was: AutocastState = { ...autocasting };
  open.push(was);
  Object.assign(autocasting, { on: enabled, dtype, cache: cacheEnabled });
  let ended = false;
  const exit = (): void => {
    if (ended) return;
    if (open.at(-1) !== was)
      throw new AutogradError(
        'ERR_AUTOCAST_ORDER',
        'autocast: regions end in the reverse order of their beginnings, and one is still open',
      );
    ended = true;
    open.pop();
    Object.assign(autocasting, was);
    if (open.length === 0) clearAutocastCache();
  };
  return { exit, [Symbol.dispose]: exit };
}

/**
 * Runs `fn` in mixed precision: matrix products, convolutions, recurrent cells and attention convert their tensors to `dtype` first; softmax, norms,
 * losses, exponentials, powers and sums to float32; ops that take tensors of one dtype, to the widest of them. All others compute in what they are
 * given. float64 is left alone. Parameters stay float32, and so do their gradients.
 *
 * Things to know
 * - Only the forward and the loss belong in it. A backward pass runs with autocast off, in the dtypes that the forward chose.
 * - float16 gradients may underflow: see `amp.GradScaler`. bfloat16 has the range of float32 and needs none.
 * - Writes in place (`exp_`) are not converted: they end in the dtype of the tensor that they write to.
 * - Halves are half the memory on every device; they are faster where the device computes in them. The CPU backend does not.
 *
 * PyTorch: torch.autocast.
 * @example
 * const loss = autocast('bfloat16', () => F.crossEntropy(model(x), y));
 * loss.backward();
 * @throws AutogradError `ERR_ASYNC_SCOPE` for an async function: see {@link enterAutocast}.
 */
export function autocast<T>(options: HalfDType | AutocastOptions, fn: () => T): T {
  const region = enterAutocast(options);
  let result: T;
  try {
    result = fn();
  } finally {
    region.exit();
  }
  if (typeof (result as { then?: unknown } | null)?.then === 'function') {
    void Promise.resolve(result).catch(() => {});
    throw new AutogradError(
      'ERR_ASYNC_SCOPE',
      'autocast takes a synchronous function: its effect would end at the first await. Use enterAutocast() and its exit().',
    );
  }
  return result;
}

/** Is autocast on? PyTorch: torch.is_autocast_enabled. */
export const isAutocastEnabled = (): boolean => autocasting.on;
/** The dtype that products are computed in while autocast is on. PyTorch: torch.get_autocast_dtype. */
export const getAutocastDtype = (): HalfDType => autocasting.dtype;
