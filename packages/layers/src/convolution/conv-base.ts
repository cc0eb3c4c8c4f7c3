/** @file What convolutions and transposed convolutions share: checks, parameters, their text. PyTorch: nn.modules.conv._ConvNd. */
import {
  empty,
  Module,
  Parameter,
  ShapeError,
  type SpatialSize,
  type Tensor,
  type TesseraError,
  typeNameOf,
  ValueError,
} from '@tessera/core';
import { pad } from '../functional/index.js';
import { calculateFans } from '../init/fan.js';
import { uniform_ } from '../init/fill.js';
import { kaimingUniform_ } from '../init/scaled.js';
import { factory, type FactoryOptions, requireCount, requireSize } from '../options.js';
import { pySize } from '../repr.js';

/** What lies beyond the edges of an input. */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular';
const PADDING_MODES: readonly PaddingMode[] = ['zeros', 'reflect', 'replicate', 'circular'];

/** A size for each of `n` spatial dims. */
export function perDim(value: SpatialSize, n: number): readonly number[] {
  return typeof value === 'number' ? new Array<number>(n).fill(value) : value;
}

export interface ConvBaseOptions extends FactoryOptions {
  /** Default 1. */
  readonly stride?: SpatialSize;
  /** Default 1. */
  readonly dilation?: SpatialSize;
  /** Channels in and out are split into so many groups, each convolved on its own. Default 1. */
  readonly groups?: number;
  /** Adds a learnt number to each output channel. Default true. */
  readonly bias?: boolean;
  /** Default 'zeros'. */
  readonly paddingMode?: PaddingMode;
}

/** The base of Conv1d to ConvTranspose3d. */
export abstract class ConvBase extends Module {
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[] | 'same' | 'valid';
  readonly dilation: readonly number[];
  readonly outputPadding: readonly number[];
  readonly groups: number;
  readonly paddingMode: PaddingMode;
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    /** Spatial dims. */
    protected readonly rank: number,
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: SpatialSize,
    options: ConvBaseOptions & { readonly padding?: SpatialSize | 'same' | 'valid'; readonly outputPadding?: SpatialSize },
    transposed: boolean,
  ) {
    super();
    const name = typeNameOf(this);
    requireCount(name, 'inChannels', inChannels);
    requireCount(name, 'outChannels', outChannels);
    requireSize(name, 'kernelSize', kernelSize, rank);
    const { padding = 0, groups = 1, paddingMode = 'zeros' } = options;
    this.kernelSize = perDim(kernelSize, rank);
    this.stride = perDim(options.stride ?? 1, rank);
    this.padding = typeof padding === 'string' ? padding : perDim(padding, rank);
    this.dilation = perDim(options.dilation ?? 1, rank);
    this.outputPadding = perDim(options.outputPadding ?? 0, rank);
    this.groups = groups;
    this.paddingMode = paddingMode;
    this.#check();
    const made = factory(options);
    const channels = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
    this.weight = new Parameter(empty([...channels, ...this.kernelSize], made));
    this.bias = options.bias === false ? null : new Parameter(empty([outChannels], made));
    this.resetParameters();
  }

  #check(): void {
    const { groups, inChannels, outChannels, padding, stride, paddingMode } = this;
    const fail = (why: string): never => {
      throw new ValueError('ERR_LAYER_OPTION', `${typeNameOf(this)}: ${why}`);
    };
    if (!(groups > 0)) fail('groups must be a positive integer');
    if (inChannels % groups !== 0) fail('in_channels must be divisible by groups');
    if (outChannels % groups !== 0) fail('out_channels must be divisible by groups');
    if (typeof padding === 'string') {
      if (padding !== 'same' && padding !== 'valid') fail(`Invalid padding string '${String(padding)}', should be one of 'same', 'valid'`);
      if (padding === 'same' && stride.some((s) => s !== 1)) fail("padding='same' is not supported for strided convolutions");
    }
    if (!PADDING_MODES.includes(paddingMode))
      fail(`padding_mode must be one of ${PADDING_MODES.join(', ')}, but got padding_mode='${paddingMode}'`);
  }

  /** Draws weight and bias anew. PyTorch: reset_parameters. */
  resetParameters(): void {
    kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    if (this.bias === null) return;
    const { fanIn } = calculateFans(this.weight);
    if (fanIn === 0) return;
    const bound = 1 / Math.sqrt(fanIn);
    uniform_(this.bias, -bound, bound);
  }

  /** The input with what lies beyond its edges, where that is not zeros; what F.pad takes is listed from the last dim on. */
  protected padded(input: Tensor): Tensor {
    const sides: number[] = [];
    for (let d = this.rank - 1; d >= 0; d--) {
      if (this.padding === 'same') {
        const total = this.dilation[d] * (this.kernelSize[d] - 1);
        sides.push(Math.floor(total / 2), total - Math.floor(total / 2));
      } else if (this.padding === 'valid') sides.push(0, 0);
      else sides.push(this.padding[d], this.padding[d]);
    }
    const { paddingMode } = this;
    return pad(input, sides, { mode: paddingMode === 'zeros' ? 'constant' : paddingMode });
  }

  override extraRepr(): string {
    const { padding, dilation, outputPadding, groups, bias, paddingMode } = this;
    let text = `${this.inChannels}, ${this.outChannels}, kernel_size=${pySize(this.kernelSize)}, stride=${pySize(this.stride)}`;
    if (typeof padding === 'string' || padding.some((p) => p !== 0)) text += `, padding=${pySize(padding)}`;
    if (dilation.some((d) => d !== 1)) text += `, dilation=${pySize(dilation)}`;
    if (outputPadding.some((p) => p !== 0)) text += `, output_padding=${pySize(outputPadding)}`;
    if (groups !== 1) text += `, groups=${groups}`;
    if (bias === null) text += ', bias=False';
    if (paddingMode !== 'zeros') text += `, padding_mode=${paddingMode}`;
    return text;
  }

  override explainError(error: TesseraError): string | null {
    if (!(error instanceof ShapeError)) return null;
    const sizes = ['D', 'H', 'W'].slice(3 - this.rank).join(', ');
    const name = `${typeNameOf(this)}(${this.inChannels}, ${this.outChannels})`;
    return `${name} takes inputs of shape (N, ${this.inChannels}, ${this.rank === 1 ? 'L' : sizes}), or the same without N.`;
  }
}
