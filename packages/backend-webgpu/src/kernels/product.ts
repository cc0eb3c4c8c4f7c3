/**
 * @file Matrix products, as a family: whatever says how to load a(row, k) and b(k, column) and how to store an element gets a kernel, chosen by
 * the shape and the adapter. Few and long dot products go to workgroups of their own, slim short ones to an invocation for each element, the rest to tiles,
 * to matrix units where these are in use, or to blocks where the adapter is a driver that computes on the CPU.
 */
import type { Context } from './context.js';
import type { Product } from './operand.js';
import { launchBlocks } from './product-blocks.js';
import { launchMatrices, unitFor } from './product-matrices.js';
import { launchSimple } from './product-simple.js';
import { launchTiles } from './product-tiles.js';

/** Products with at most so many elements, and K at least so long, are dot products of a workgroup each; a vector's with any number. */
const FEW = 1024;
const LONG = 128;
/** So many blocks of 4 x 4 keep a processor's threads busy; fewer long ones are split by tiles. */
const SPREAD = 512;

export function launchProduct(context: Context, product: Product): void {
  const { batch, rows, columns, inner, aRowsFast, bColumnsFast } = product;
  const kFast = (!aRowsFast || rows === 1) && (!bColumnsFast || columns === 1);
  const blocks = batch * Math.ceil(rows / 4) * Math.ceil(columns / 4);
  const few = batch * rows * columns <= FEW || rows === 1 || columns === 1;
  const unit = unitFor(context.launcher.matrixUnits, product);
  if (few && inner >= LONG && kFast) launchSimple(context, product, 'dots');
  else if ((rows < 4 || columns < 4) && inner < LONG) launchSimple(context, product, 'each');
  else if (unit !== undefined) launchMatrices(context, product, unit);
  else if (context.launcher.software && (blocks >= SPREAD || inner < 2 * LONG)) launchBlocks(context, product);
  else launchTiles(context, product);
}
