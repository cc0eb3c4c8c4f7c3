/** @file Scaled-dot-product attention and its gradient. */
import type { AcceleratedKernels } from '@tessera/core/backend';
import { addressOf, type KernelHost, type WasmView } from '../code/kernel-host.js';
import { roundUp } from '../convolution/correlation.js';
import { FLOAT32 } from '../matmul/element.js';
import { MULTIPLICATIONS_PER_NS } from '../matmul/gemm.js';
import { columnsOf, type TileShape } from '../matmul/tile.js';
import type { WasmBuffer } from '../memory/wasm-buffer.js';
import { f32bits } from '../rows/norm-module.js';
import { emitAttention } from './attention-module.js';

type Kernels = Required<AcceleratedKernels<WasmBuffer>>;

/** Scores of a block of queries, in bytes: they should stay in the second-level cache. */
const SCORES_BYTES = 256 * 1024;
const MOST_ROWS = 128;
const KEY_BLOCK = 256;

const matrix = (view: WasmView | null, size = 4): readonly number[] =>
  view === null ? [0, 0, 0, 0] : [addressOf(view), ...view.strides.map((stride) => stride * size)];

export function attentionKernels(host: KernelHost, tile: TileShape): Pick<Kernels, 'attention' | 'attentionGrad'> {
  const columns = columnsOf(tile, FLOAT32);
  const task = (name: string) =>
    host.module(`attention ${tile.rows}x${tile.vectors}${tile.fma ? ' fma' : ''}`, (module) => emitAttention(module, tile))(name);

  /** Rows of a block, and where all lies in the scratch. */
  function cut(L: number, S: number, E: number, V: number) {
    const scoresRow = roundUp(S, KEY_BLOCK) * 4 + 64;
    const rows = Math.min(L, MOST_ROWS, Math.max(tile.rows, Math.floor(SCORES_BYTES / scoresRow / tile.rows) * tile.rows));
    const stripAt = 256;
    const keysAt = 1536;
    const valuesAt = keysAt + roundUp(roundUp(S, columns) * E * 4 + 64, 64);
    const leftAt = valuesAt + roundUp(S * roundUp(V, columns) * 4 + 64, 64);
    const longest = Math.max(E, KEY_BLOCK);
    const leftRows = roundUp(Math.max(rows, S), tile.rows);
    const scoresAt = leftAt + roundUp(leftRows * longest * 4 + 64, 64);
    const gradsAt = scoresAt + roundUp(rows * scoresRow + 64, 64);
    const rightAt = gradsAt + roundUp(rows * scoresRow + 64, 64);
    const end = rightAt + roundUp(roundUp(Math.max(S, E, V), columns) * longest * 4 + 64, 64);
    return { rows, blocks: Math.ceil(L / rows), scoresRow, stripAt, keysAt, valuesAt, leftAt, scoresAt, gradsAt, rightAt, end };
  }

  const maskKind = (mask: WasmView | null): number => (mask === null ? 0 : mask.dtype === 'bool' ? 2 : 1);
  const takes = (mask: WasmView | null, ...views: readonly WasmView[]): boolean =>
    views.every((view) => view.dtype === 'float32') && (mask === null || mask.dtype === 'bool' || mask.dtype === 'float32');

  return {
    attention(query, key, value, mask, causal, scale, out, logsumexp) {
      if (!takes(mask, query, key, value, out, logsumexp)) return false;
      const [B, L, E] = query.shape;
      const [S, V] = [key.shape[1], value.shape[2]];
      if (S === 0 || E === 0 || V === 0) return false;
      const c = cut(L, S, E, V);
      const args = [L, S, E, V, c.rows, c.blocks, f32bits(scale), causal ? 1 : 0, maskKind(mask)];
      args.push(...matrix(query), ...matrix(key), ...matrix(value), ...matrix(mask, mask?.dtype === 'bool' ? 1 : 4), ...matrix(out));
      args.push(...matrix(logsumexp).slice(0, 3), c.stripAt, c.keysAt, c.valuesAt, c.leftAt, c.scoresAt, c.scoresRow);
      args.push(...new Array<number>(18).fill(0));
      host.launch(task('attention'), args, B * c.blocks, c.end, (B * L * S * (E + V + 8)) / MULTIPLICATIONS_PER_NS);
      return true;
    },
    attentionGrad(gradOut, query, key, value, mask, causal, scale, out, logsumexp, gradQuery, gradKey, gradValue) {
      if (!takes(mask, gradOut, query, key, value, out, logsumexp, gradQuery, gradKey, gradValue)) return false;
      const [B, L, E] = query.shape;
      const [S, V] = [key.shape[1], value.shape[2]];
      if (S === 0 || E === 0 || V === 0) return false;
      const c = cut(L, S, E, V);
      const args = [L, S, E, V, c.rows, c.blocks, f32bits(scale), causal ? 1 : 0, maskKind(mask)];
      args.push(...matrix(query), ...matrix(key), ...matrix(value), ...matrix(mask, mask?.dtype === 'bool' ? 1 : 4), ...matrix(out));
      args.push(...matrix(logsumexp).slice(0, 3), c.stripAt, c.keysAt, c.valuesAt, c.leftAt, c.scoresAt, c.scoresRow);
      args.push(...matrix(gradOut), ...matrix(gradQuery), ...matrix(gradKey), ...matrix(gradValue), c.rightAt, c.gradsAt);
      host.launch(task('attentionGrad'), args, B, c.end, (2.5 * B * L * S * (E + V + 8)) / MULTIPLICATIONS_PER_NS);
      return true;
    },
  };
}
