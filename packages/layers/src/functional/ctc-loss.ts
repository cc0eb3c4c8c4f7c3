/**
 * @file Connectionist temporal classification (Graves et al., 2006): the probability of a labelling over all its alignments with a sequence. Forward
 * and backward run over time, each step a few launches for all sequences of the batch and all places of their labels.
 */
import {
  checkOptions,
  type OptionNames,
  arange,
  autograd,
  DTypeError,
  type ErrorDetails,
  type FunctionContext,
  fromHost,
  isTensor,
  NotSupportedError,
  scope,
  ShapeError,
  type Tensor,
  ValueError,
  where,
} from '@tessera/core';
import { type LossOptions, reduced } from './reduction.js';

const CTC_LOSS_OPTIONS: OptionNames<CtcLossOptions> = { blank: true, zeroInfinity: true, reduction: true };

export interface CtcLossOptions extends LossOptions {
  /** The class that stands for no label. Default 0. */
  readonly blank?: number;
  /** Labellings that are too long for their sequence count 0, and have no gradient, in place of ∞. Default false. */
  readonly zeroInfinity?: boolean;
}

/** Lengths by sequence: numbers, or a tensor (N) or (), which is read. */
export type Lengths = readonly number[] | Tensor;

const OP = 'ctcLoss';

/** The labels of a batch with blanks between and around them: what does not change over time. */
interface Alignment {
  /** (N, 2S + 1): blank, l₁, blank, l₂, …, blank. */
  readonly labels: Tensor;
  /** (N, 2S + 1): 0 where a place may be reached from two before it, −∞ elsewhere. */
  readonly skip: Tensor;
  /** (N, 2S + 1): 0 at the two places where an alignment may end, −∞ elsewhere. */
  readonly ends: Tensor;
  /** (N, 1), int32. */
  readonly inputLengths: Tensor;
  /** (N). */
  readonly targetLengths: Tensor;
}

/** log(e^a + e^b + e^c), where all may be −∞: two launches, since the largest is used four times. */
function logAddExp3(a: Tensor, b: Tensor, c: Tensor): Tensor {
  const top = a.maximum(b).maximum(c);
  const base = top.maskedFill(top.eq(-Infinity), 0).realize();
  return a.sub(base).exp().add(b.sub(base).exp()).add(c.sub(base).exp()).log().add(base);
}

/**
 * Writes a time's row. The value is computed before, and what it was computed from given back: a write to memory that something still waits to
 * read would copy all of that memory first.
 */
function put(row: Tensor, make: () => Tensor): void {
  const value = scope(() => make().realize());
  row.copy_(value);
  value.dispose();
}

/** log p of all alignments of the labels before each place, at each time: (T, N, 2S + 3), two columns of −∞ in front. */
function forwardPass(logP: Tensor, { skip }: Alignment): Tensor {
  const [times, batch, places] = logP.shape as [number, number, number];
  const alpha = logP.newFull([times, batch, places + 2], -Infinity);
  const at = (t: number, shift: number): Tensor => alpha.select(0, t).narrow(1, 2 - shift, places);
  const first = Math.min(2, places);
  put(at(0, 0).narrow(1, 0, first), () => logP.select(0, 0).narrow(1, 0, first).clone());
  for (let t = 1; t < times; t++)
    put(at(t, 0), () => logAddExp3(at(t - 1, 0), at(t - 1, 1), at(t - 1, 2).add(skip)).add(logP.select(0, t)));
  return alpha;
}

/** log p of all ways on from each place, itself included, at each time: (T, N, 2S + 3), two columns of −∞ behind. */
function backwardPass(logP: Tensor, { skip, ends, inputLengths }: Alignment): Tensor {
  const [times, batch, places] = logP.shape as [number, number, number];
  const beta = logP.newFull([times, batch, places + 2], -Infinity);
  const at = (t: number, shift: number): Tensor => beta.select(0, t).narrow(1, shift, places);
  const leap = skip.newFull([batch, places + 2], -Infinity);
  leap.narrow(1, 0, places).copy_(skip);
  const skipFrom = leap.narrow(1, 2, places);
  for (let t = times - 1; t >= 0; t--) {
    put(at(t, 0), () => {
      const here = logP.select(0, t);
      const last = ends.add(here);
      if (t === times - 1) return last.maskedFill(inputLengths.ne(times), -Infinity);
      return where(inputLengths.eq(t + 1), last, logAddExp3(at(t + 1, 0), at(t + 1, 1), at(t + 1, 2).add(skipFrom)).add(here));
    });
  }
  return beta;
}

/** −log p of each labelling (N). Its gradient is, as PyTorch's, that of logits whose log-softmax the input is. */
class CtcLoss extends autograd.Function {
  static override readonly typeName = 'CtcLoss';

  static forward(ctx: FunctionContext, logProbs: Tensor, alignment: Alignment, zeroInfinity: boolean): Tensor {
    const { labels, inputLengths, targetLengths } = alignment;
    const [times, batch] = logProbs.shape as [number, number];
    const places = labels.shape[1]!;
    const index = labels.unsqueeze(0).expand([times, batch, places]);
    const logP = logProbs.gather(2, index);
    const alpha = forwardPass(logP, alignment);
    // At a sequence's last time, in its last two places.
    const final = alpha
      .gather(
        0,
        inputLengths
          .sub(1)
          .clampMin(0)
          .unsqueeze(0)
          .expand([1, batch, places + 2]),
      )
      .squeeze(0)
      .narrow(1, 2, places)
      .add(alignment.ends)
      .logsumexp(1);
    // A sequence of no time has an alignment with no labels only.
    const empty = where(targetLengths.eq(0), final.newZeros([batch]), final.newFull([batch], Infinity));
    const loss = where(inputLengths.squeeze(1).eq(0), empty, final.neg());
    ctx.alignment = alignment;
    ctx.zeroInfinity = zeroInfinity;
    ctx.saveForBackward(logProbs, logP, alpha, loss);
    return zeroInfinity ? loss.maskedFill(loss.eq(Infinity), 0) : loss;
  }

  static backward(ctx: FunctionContext, grad: Tensor): (Tensor | null)[] {
    if (grad.requiresGrad)
      throw new NotSupportedError('ERR_DOUBLE_BACKWARD', `${OP}: the derivative of its backward is not implemented`, { op: OP });
    const [logProbs, logP, alpha, loss] = ctx.savedTensors as [Tensor, Tensor, Tensor, Tensor];
    const alignment = ctx.alignment as Alignment;
    const [times, batch, places] = logP.shape as [number, number, number];
    const beta = backwardPass(logP, alignment);
    const nll = loss.reshape([1, batch, 1]);
    // How likely each place is at each time, given the labels; both passes count the time's own probability.
    const visits = alpha
      .narrow(2, 2, places)
      .add(beta.narrow(2, 0, places))
      .add(nll)
      .sub(logP)
      .exp();
    const share = visits.maskedFill(logP.eq(-Infinity), 0);
    const expected = logProbs.newZeros(logProbs.shape).scatterAdd(2, alignment.labels.unsqueeze(0).expand([times, batch, places]), share);
    let each = logProbs
      .exp()
      .sub(expected)
      .mul(grad.reshape([1, batch, 1]));
    const over = arange(times, { device: logProbs.device }).reshape([times, 1, 1]).ge(alignment.inputLengths.unsqueeze(0));
    each = each.maskedFill(over, 0);
    return [ctx.zeroInfinity === true ? each.maskedFill(nll.eq(Infinity), 0) : each, null, null];
  }
}

interface Given {
  readonly logProbs: Tensor;
  readonly targets: Tensor;
  readonly inputLengths: readonly number[];
  readonly targetLengths: readonly number[];
  readonly options: CtcLossOptions;
}

function compute({ logProbs, targets, inputLengths, targetLengths, options }: Given): Tensor {
  const { blank = 0, reduction = 'mean', zeroInfinity = false } = options;
  const batched = logProbs.ndim === 3;
  const details = { op: OP, shapes: [logProbs.shape, targets.shape] };
  const fail = (code: string, why: string): never => {
    throw new ValueError(code, `${OP}: ${why}`, details);
  };
  if (logProbs.ndim !== 2 && logProbs.ndim !== 3)
    throw new ShapeError(
      'ERR_CTC_SHAPE',
      `${OP}: expected log_probs to be (T, N, C) or (T, C), but they have ${logProbs.ndim} dims`,
      details,
    );
  if (!logProbs.isFloatingPoint() || targets.isFloatingPoint() || targets.dtype === 'bool')
    throw new DTypeError(
      'ERR_TARGET_DTYPE',
      `${OP}: log_probs must be floats and targets integers, not ${logProbs.dtype} and ${targets.dtype}`,
      {
        ...details,
        dtypes: [logProbs.dtype, targets.dtype],
      },
    );
  const x = batched ? logProbs : logProbs.unsqueeze(1);
  const [times, batch, classes] = x.shape as [number, number, number];
  if (!(blank >= 0 && blank < classes)) fail('ERR_CTC_BLANK', `blank must be in label range, from 0 to ${classes - 1}, but is ${blank}`);
  if (x.numel() === 0) throw new ShapeError('ERR_CTC_SHAPE', `${OP}: log_probs tensor must not be empty`, details);
  if (inputLengths.length !== batch)
    fail('ERR_CTC_LENGTHS', `input_lengths must be of size batch_size, ${batch}, not ${inputLengths.length}`);
  if (targetLengths.length !== batch)
    fail('ERR_CTC_LENGTHS', `target_lengths must be of size batch_size, ${batch}, not ${targetLengths.length}`);
  for (const length of inputLengths)
    if (length < 0 || length > times)
      fail('ERR_CTC_LENGTHS', `Expected input_lengths to have value from 0 to ${times}, but got value ${length}`);
  const longest = Math.max(0, ...targetLengths);
  for (const length of targetLengths)
    if (length < 0) fail('ERR_CTC_LENGTHS', `Expected target_lengths to have value at least 0, but got value ${length}`);
  const padded = paddedTargets(batched ? targets : targets.reshape([1, -1]), targetLengths, longest, details);
  const alignment = align(padded, inputLengths, targetLengths, longest, blank, x);
  const each = CtcLoss.apply(x, alignment, zeroInfinity);
  if (reduction === 'mean') return each.div(alignment.targetLengths.clampMin(1).to(each.dtype)).mean();
  return reduced(batched || reduction === 'sum' ? each : each.squeeze(0), reduction, OP);
}

/** Targets as (N, longest): given so, or one after the other. */
function paddedTargets(targets: Tensor, lengths: readonly number[], longest: number, details: ErrorDetails): Tensor {
  const batch = lengths.length;
  if (targets.ndim === 2) {
    if (targets.shape[0] !== batch || targets.shape[1]! < longest)
      throw new ShapeError(
        'ERR_CTC_SHAPE',
        `${OP}: Expected targets to have size at least (${batch}, ${longest}), but got (${targets.shape.join(', ')})`,
        details,
      );
    return targets.to('int32').narrow(1, 0, longest);
  }
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (targets.ndim !== 1 || targets.shape[0]! < total)
    throw new ShapeError(
      'ERR_CTC_SHAPE',
      `${OP}: Expected targets to be (N, S), or one dim of at least ${total} labels, but got (${targets.shape.join(', ')})`,
      details,
    );
  const places = new Int32Array(batch * longest);
  let start = 0;
  lengths.forEach((length, n) => {
    for (let s = 0; s < length; s++) places[n * longest + s] = start + s;
    start += length;
  });
  if (places.length === 0) return targets.to('int32').newZeros([batch, longest]);
  return targets
    .to('int32')
    .indexSelect(0, fromHost(places, [places.length], 'int32', targets.device))
    .reshape([batch, longest]);
}

function align(
  targets: Tensor,
  inputLengths: readonly number[],
  targetLengths: readonly number[],
  longest: number,
  blank: number,
  like: Tensor,
): Alignment {
  const batch = targetLengths.length;
  const places = 2 * longest + 1;
  const ends = new Float32Array(batch * places).fill(-Infinity);
  const valid = new Uint8Array(batch * longest);
  targetLengths.forEach((length, n) => {
    ends[n * places + 2 * length] = 0;
    if (length > 0) ends[n * places + 2 * length - 1] = 0;
    valid.fill(1, n * longest, n * longest + length);
  });
  const { device } = like;
  const labels = targets.newFull([batch, places], blank);
  const skip = like.newFull([batch, places], -Infinity);
  if (longest > 0) {
    // What stands behind the end of a shorter labelling may be no class at all.
    const own = targets.maskedFill(fromHost(valid, [batch, longest], 'bool', device).logicalNot(), blank).realize();
    labels.slice(1, 1, places, 2).copy_(own);
    // Two equal labels need the blank between them.
    if (longest > 1)
      skip
        .slice(1, 3, places, 2)
        .copy_(where(own.narrow(1, 1, longest - 1).ne(own.narrow(1, 0, longest - 1)), like.newZeros([]), like.newFull([], -Infinity)));
  }
  return {
    labels,
    skip,
    ends: fromHost(ends, [batch, places], 'float32', device).to(like.dtype),
    inputLengths: fromHost(Int32Array.from(inputLengths), [batch, 1], 'int32', device),
    targetLengths: fromHost(Int32Array.from(targetLengths), [batch], 'int32', device),
  };
}

/**
 * −log p of each labelling, for log-probabilities (T, N, C), or (T, C), and targets (N, S), or all labels one after the other. With `reduction`
 * 'mean' each is divided by its number of labels first. Its backward gives the gradient of the logits that went into a log-softmax, as PyTorch's
 * does, and cannot be differentiated again. Lengths that are tensors are read: give numbers, or call {@link ctcLossAsync}, on a device that
 * cannot be read at once. PyTorch: F.ctc_loss.
 *
 * @throws ShapeError `ERR_CTC_SHAPE`; ValueError `ERR_CTC_BLANK`, `ERR_CTC_LENGTHS`; DTypeError `ERR_TARGET_DTYPE`.
 * @example ctcLoss(logits.logSoftmax(2), targets, [50, 50], [30, 25])
 */
export function ctcLoss(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Lengths,
  targetLengths: Lengths,
  options: CtcLossOptions = {},
): Tensor {
  checkOptions('ctcLoss', options, CTC_LOSS_OPTIONS);
  const read = (lengths: Lengths): readonly number[] => (isTensor(lengths) ? (lengths.flatten().toArray() as number[]) : lengths);
  return compute({ logProbs, targets, inputLengths: read(inputLengths), targetLengths: read(targetLengths), options });
}

/** As {@link ctcLoss}, for lengths on any device. */
export async function ctcLossAsync(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Lengths,
  targetLengths: Lengths,
  options: CtcLossOptions = {},
): Promise<Tensor> {
  checkOptions('ctcLossAsync', options, CTC_LOSS_OPTIONS);
  const read = async (lengths: Lengths): Promise<readonly number[]> =>
    isTensor(lengths) ? ((await lengths.flatten().toArrayAsync()) as number[]) : lengths;
  const [ofInputs, ofTargets] = await Promise.all([read(inputLengths), read(targetLengths)]);
  return compute({ logProbs, targets, inputLengths: ofInputs, targetLengths: ofTargets, options });
}
