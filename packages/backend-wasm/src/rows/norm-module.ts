/** @file Layer norm and root-mean-square norm over rows, batch norm over channels, and their gradients. */
import { type Expr, f32, f32x4, type FunctionBuilder, i32, memory, type ModuleBuilder } from '../assembler/index.js';
import { type I32, locals, sumLanes, task, type V128, words } from '../code/emit.js';
import { copyStrided, RowLoop, StagedRow } from './row-loop.js';

/**
 * Addresses of 0 are operands that there are not; strides in bytes; `eps` is the bits of a float; `inverse`, those of 1 / columns. `room`: of a staged row.
 */
export const LAYER_NORM_FIELDS = words(
  'columns inverse eps room',
  'x xRow xColumn weight weightStride bias biasStride out outRow outColumn',
  'mean meanStride rstd rstdStride',
);

/** `parts`: how many shares of the rows have partial sums of the weight's and bias's gradients, [part][2][columns] at `partials`. */
export const LAYER_NORM_GRAD_FIELDS = words(
  'rows parts columns inverse room',
  'g gRow gColumn x xRow xColumn weight weightStride mean meanStride rstd rstdStride',
  'out outRow outColumn partials',
);

/** Adds up `parts` rows of partial sums, `stride` bytes apart, for the columns begin … end − 1. */
export const COLLECT_FIELDS = words('partials stride parts out outStride');

export const BATCH_NORM_FIELDS = words(
  'N S inverse eps x xN xC xS weight weightStride bias biasStride',
  'out outN outC outS mean meanStride variance varianceStride',
  'g gN gC gS gradWeight gradWeightStride gradBias gradBiasStride',
);

/** Vectors of a round: four accumulators hide the latency of an addition. */
const UNROLL = 4;

const floatOf = (bits: I32): Expr<'f32'> => f32.reinterpretI32(bits);

function zero(f: FunctionBuilder, sums: readonly V128[]): void {
  for (const sum of sums) f.set(sum, f32x4.const(0));
}

/** The sum of four accumulators' lanes, times a factor, in all lanes. */
function collected(f: FunctionBuilder, sums: readonly V128[], factor: I32): Expr<'v128'> {
  f.set(sums[0], f32x4.add(f32x4.add(sums[0], sums[1]), f32x4.add(sums[2], sums[3])));
  return f32x4.splat(f32.mul(sumLanes(sums[0]), floatOf(factor)));
}

/** Copies a row of weights to `room`, or fills it where there is none. */
function stageWeights(f: FunctionBuilder, room: I32, from: I32, stride: I32, columns: I32, fill: number): void {
  const [to, at, count] = locals(f, 'i32', 3);
  f.set(to, room);
  f.set(at, from);
  f.set(count, columns);
  f.if(
    from,
    () => copyStrided(f, to, 4, at, stride, count),
    () =>
      f.while(
        () => count,
        () => {
          f.emit(f32.store(to, f32.const(fill)));
          f.increment(to, 4);
          f.increment(count, -1);
        },
      ),
  );
}

export function emitNorms(module: ModuleBuilder): void {
  emitLayerNorm(module);
  emitLayerNormGrad(module);
  emitBatchNorm(module);
  emitBatchNormGrad(module);

  task(module, 'collect', COLLECT_FIELDS, (f, p, begin, end) => {
    const [at, k] = locals(f, 'i32', 2);
    const sum = f.local('f32');
    f.for(begin, begin, end, 1, () => {
      f.set(at, i32.add(p.partials, i32.shl(begin, 2)));
      f.set(sum, f32.const(0));
      f.for(k, 0, p.parts, 1, () => {
        f.set(sum, f32.add(sum, f32.load(at)));
        f.increment(at, p.stride);
      });
      f.emit(f32.store(i32.add(p.out, i32.mul(begin, p.outStride)), sum));
    });
  });
}

function emitLayerNorm(module: ModuleBuilder): void {
  task(module, 'layerNorm', LAYER_NORM_FIELDS, (f, p, begin, end, scratch) => {
    const loop = new RowLoop(f, p.columns);
    const x = new StagedRow(f, p.xColumn, p.columns, scratch);
    const out = new StagedRow(f, p.outColumn, p.columns, i32.add(scratch, p.room));
    const weight = f.local('i32', i32.add(scratch, i32.mul(p.room, 2)));
    const bias = f.local('i32', i32.add(scratch, i32.mul(p.room, 3)));
    stageWeights(f, weight, p.weight, p.weightStride, p.columns, 1);
    stageWeights(f, bias, p.bias, p.biasStride, p.columns, 0);
    const [from, to] = locals(f, 'i32', 2);
    const sums = locals(f, 'v128', UNROLL);
    const [mean, rstd] = locals(f, 'v128', 2);
    f.for(begin, begin, end, 1, () => {
      f.set(from, i32.add(p.x, i32.mul(begin, p.xRow)));
      f.set(to, i32.add(p.out, i32.mul(begin, p.outRow)));
      x.read(from);
      out.begin(to);
      f.set(mean, f32x4.const(0));
      f.if(p.mean, () => {
        zero(f, sums);
        loop.each(UNROLL, ({ u, load }) => f.set(sums[u], f32x4.add(sums[u], load(x.at))));
        f.set(mean, collected(f, sums, p.inverse));
        f.emit(f32.store(i32.add(p.mean, i32.mul(begin, p.meanStride)), f32x4.extractLane(0, mean)));
      });
      zero(f, sums);
      loop.each(UNROLL, ({ u, load }) => {
        const d = f.local('v128', f32x4.sub(load(x.at, mean), mean));
        f.set(sums[u], f32x4.add(sums[u], f32x4.mul(d, d)));
      });
      f.set(rstd, f32x4.div(1, f32x4.sqrt(f32x4.add(collected(f, sums, p.inverse), f32x4.splat(floatOf(p.eps))))));
      f.emit(f32.store(i32.add(p.rstd, i32.mul(begin, p.rstdStride)), f32x4.extractLane(0, rstd)));
      loop.each(UNROLL, ({ load, store }) => {
        const normal = f32x4.mul(f32x4.sub(load(x.at), mean), rstd);
        store(out.at, f.local('v128', f32x4.add(f32x4.mul(normal, load(weight)), load(bias))));
      });
      out.finish(to);
    });
  });
}

/** Units are the shares of rows; each has sums of its own, so that threads change no bit. */
function emitLayerNormGrad(module: ModuleBuilder): void {
  task(module, 'layerNormGrad', LAYER_NORM_GRAD_FIELDS, (f, p, begin, end, scratch) => {
    const loop = new RowLoop(f, p.columns);
    const g = new StagedRow(f, p.gColumn, p.columns, scratch);
    const x = new StagedRow(f, p.xColumn, p.columns, i32.add(scratch, p.room));
    const out = new StagedRow(f, p.outColumn, p.columns, i32.add(scratch, i32.mul(p.room, 2)));
    const weight = f.local('i32', i32.add(scratch, i32.mul(p.room, 3)));
    stageWeights(f, weight, p.weight, p.weightStride, p.columns, 1);
    const [row, last, atG, atX, to, sumsW, sumsB, bytes] = locals(f, 'i32', 8);
    const plain = locals(f, 'v128', UNROLL);
    const crossed = locals(f, 'v128', UNROLL);
    const [mean, rstd, meanG, meanGX, normal, scaled] = locals(f, 'v128', 6);
    f.set(bytes, i32.shl(p.columns, 2));
    f.for(begin, begin, end, 1, () => {
      f.set(row, i32.divU(i32.mul(begin, p.rows), p.parts));
      f.set(last, i32.divU(i32.mul(i32.add(begin, 1), p.rows), p.parts));
      f.set(sumsW, i32.add(p.partials, i32.mul(begin, i32.shl(bytes, 1))));
      f.set(sumsB, i32.add(sumsW, bytes));
      f.if(p.partials, () => f.emit(memory.fill(sumsW, 0, i32.shl(bytes, 1))));
      f.for(row, row, last, 1, () => {
        f.set(atG, i32.add(p.g, i32.mul(row, p.gRow)));
        f.set(atX, i32.add(p.x, i32.mul(row, p.xRow)));
        g.read(atG);
        x.read(atX);
        f.set(mean, f32x4.const(0));
        f.if(p.mean, () => f.set(mean, f32x4.splat(f32.load(i32.add(p.mean, i32.mul(row, p.meanStride))))));
        f.set(rstd, f32x4.splat(f32.load(i32.add(p.rstd, i32.mul(row, p.rstdStride)))));
        f.if(p.partials, () =>
          loop.each(1, ({ load, store }) => {
            f.set(normal, f32x4.mul(f32x4.sub(load(x.at), mean), rstd));
            store(sumsW, f.local('v128', f32x4.add(load(sumsW), f32x4.mul(load(g.at), normal))));
            store(sumsB, f.local('v128', f32x4.add(load(sumsB), load(g.at))));
          }),
        );
        f.if(p.out, () => {
          f.set(to, i32.add(p.out, i32.mul(row, p.outRow)));
          out.begin(to);
          zero(f, plain);
          zero(f, crossed);
          loop.each(UNROLL, ({ u, load }) => {
            f.set(scaled, f32x4.mul(load(g.at), load(weight)));
            f.set(normal, f32x4.mul(f32x4.sub(load(x.at), mean), rstd));
            f.set(plain[u], f32x4.add(plain[u], scaled));
            f.set(crossed[u], f32x4.add(crossed[u], f32x4.mul(scaled, normal)));
          });
          f.set(meanG, f32x4.const(0));
          f.if(p.mean, () => f.set(meanG, collected(f, plain, p.inverse)));
          f.set(meanGX, collected(f, crossed, p.inverse));
          loop.each(1, ({ load, store }) => {
            f.set(scaled, f32x4.mul(load(g.at), load(weight)));
            f.set(normal, f32x4.mul(f32x4.sub(load(x.at), mean), rstd));
            const inner = f32x4.sub(f32x4.sub(scaled, meanG), f32x4.mul(normal, meanGX));
            store(out.at, f.local('v128', f32x4.mul(inner, rstd)));
          });
          out.finish(to);
        });
      });
    });
  });
}

/** Runs over a channel's rows of S floats, one for each image, as a loop that `body` fills: `rows` are the operands' rows. */
type ChannelRows = (body: (row: (operand: number) => I32, loop: RowLoop) => void) => void;

/** Rows of a channel: operand i begins at `starts[i]`, with `strides[i]` bytes from image to image; all have their S floats side by side. */
function channelRows(f: FunctionBuilder, N: I32, loop: RowLoop, starts: readonly I32[], strides: readonly I32[]): ChannelRows {
  const n = f.local('i32');
  const at = locals(f, 'i32', starts.length);
  return (body) => {
    at.forEach((pointer, i) => f.set(pointer, starts[i]));
    f.for(n, 0, N, 1, () => {
      body((operand) => at[operand], loop);
      at.forEach((pointer, i) => f.increment(pointer, strides[i]));
    });
  };
}

/** Units are channels. */
function emitBatchNorm(module: ModuleBuilder): void {
  task(module, 'batchNorm', BATCH_NORM_FIELDS, (f, p, begin, end) => {
    const loop = new RowLoop(f, p.S);
    const [x, out] = locals(f, 'i32', 2);
    const sums = locals(f, 'v128', UNROLL);
    const [mean, scale, shift] = locals(f, 'v128', 3);
    const [variance, factor] = locals(f, 'f32', 2);
    const each = channelRows(f, p.N, loop, [x, out], [p.xN, p.outN]);
    f.for(begin, begin, end, 1, () => {
      f.set(x, i32.add(p.x, i32.mul(begin, p.xC)));
      f.set(out, i32.add(p.out, i32.mul(begin, p.outC)));
      zero(f, sums);
      each((row) => loop.each(UNROLL, ({ u, load }) => f.set(sums[u], f32x4.add(sums[u], load(row(0))))));
      f.set(mean, collected(f, sums, p.inverse));
      zero(f, sums);
      each((row) =>
        loop.each(UNROLL, ({ u, load }) => {
          const d = f.local('v128', f32x4.sub(load(row(0), mean), mean));
          f.set(sums[u], f32x4.add(sums[u], f32x4.mul(d, d)));
        }),
      );
      f.set(variance, f32x4.extractLane(0, collected(f, sums, p.inverse)));
      f.emit(f32.store(i32.add(p.mean, i32.mul(begin, p.meanStride)), f32x4.extractLane(0, mean)));
      f.emit(f32.store(i32.add(p.variance, i32.mul(begin, p.varianceStride)), variance));
      f.set(factor, f32.div(f32.const(1), f32.sqrt(f32.add(variance, floatOf(p.eps)))));
      f.if(p.weight, () => f.set(factor, f32.mul(factor, f32.load(i32.add(p.weight, i32.mul(begin, p.weightStride))))));
      f.set(scale, f32x4.splat(factor));
      f.set(shift, f32x4.const(0));
      f.if(p.bias, () => f.set(shift, f32x4.splat(f32.load(i32.add(p.bias, i32.mul(begin, p.biasStride))))));
      each((row) =>
        loop.each(UNROLL, ({ load, store }) =>
          store(row(1), f.local('v128', f32x4.add(f32x4.mul(f32x4.sub(load(row(0)), mean), scale), shift))),
        ),
      );
    });
  });
}

function emitBatchNormGrad(module: ModuleBuilder): void {
  task(module, 'batchNormGrad', BATCH_NORM_FIELDS, (f, p, begin, end) => {
    const loop = new RowLoop(f, p.S);
    const [x, g, out] = locals(f, 'i32', 3);
    const plain = locals(f, 'v128', UNROLL);
    const crossed = locals(f, 'v128', UNROLL);
    const [mean, rstd, meanG, meanGX, scale, normal] = locals(f, 'v128', 6);
    const factor = f.local('f32');
    const one = f.local('i32', f32bits(1));
    const each = channelRows(f, p.N, loop, [x, g], [p.xN, p.gN]);
    const eachOut = channelRows(f, p.N, loop, [x, g, out], [p.xN, p.gN, p.outN]);
    f.for(begin, begin, end, 1, () => {
      f.set(x, i32.add(p.x, i32.mul(begin, p.xC)));
      f.set(g, i32.add(p.g, i32.mul(begin, p.gC)));
      f.set(out, i32.add(p.out, i32.mul(begin, p.outC)));
      f.set(mean, f32x4.splat(f32.load(i32.add(p.mean, i32.mul(begin, p.meanStride)))));
      f.set(factor, f32.load(i32.add(p.variance, i32.mul(begin, p.varianceStride))));
      f.set(factor, f32.div(f32.const(1), f32.sqrt(f32.add(factor, floatOf(p.eps)))));
      f.set(rstd, f32x4.splat(factor));
      zero(f, plain);
      zero(f, crossed);
      each((row) =>
        loop.each(UNROLL, ({ u, load }) => {
          f.set(normal, f32x4.mul(f32x4.sub(load(row(0)), mean), rstd));
          f.set(plain[u], f32x4.add(plain[u], load(row(1))));
          f.set(crossed[u], f32x4.add(crossed[u], f32x4.mul(load(row(1)), normal)));
        }),
      );
      f.set(meanG, collected(f, plain, one));
      f.set(meanGX, collected(f, crossed, one));
      const store = (to: I32, stride: I32, v: V128): void =>
        f.if(to, () => f.emit(f32.store(i32.add(to, i32.mul(begin, stride)), f32x4.extractLane(0, v))));
      store(p.gradBias, p.gradBiasStride, meanG);
      store(p.gradWeight, p.gradWeightStride, meanGX);
      f.set(meanG, f32x4.mul(meanG, f32x4.splat(floatOf(p.inverse))));
      f.set(meanGX, f32x4.mul(meanGX, f32x4.splat(floatOf(p.inverse))));
      f.if(p.weight, () => f.set(factor, f32.mul(factor, f32.load(i32.add(p.weight, i32.mul(begin, p.weightStride))))));
      f.set(scale, f32x4.splat(factor));
      f.if(p.out, () =>
        eachOut((row) =>
          loop.each(1, ({ load, store: put }) => {
            f.set(normal, f32x4.mul(f32x4.sub(load(row(0)), mean), rstd));
            const difference = f32x4.sub(f32x4.sub(load(row(1)), meanG), f32x4.mul(normal, meanGX));
            put(row(2), f.local('v128', f32x4.mul(difference, scale)));
          }),
        ),
      );
    });
  });
}

const word = new DataView(new ArrayBuffer(4));
/** A float's bits as an int32, as arguments carry them. */
export function f32bits(x: number): number {
  word.setFloat32(0, x);
  return word.getInt32(0);
}
