/** @file The layers of this package by name, and how the constructor's arguments are read where a layer's fields do not hold them under the same names. */
import { isParameter, type Module } from '@tessera/core';
import * as activationExponential from '../activation/exponential.js';
import * as activationGelu from '../activation/gelu.js';
import * as activationRelu from '../activation/relu.js';
import * as activationSigmoid from '../activation/sigmoid.js';
import * as activationSoft from '../activation/soft.js';
import * as activationSoftmax from '../activation/softmax.js';
import * as activationTanh from '../activation/tanh.js';
import * as multiheadAttention from '../attention/multihead-attention.js';
import * as transformerDecoder from '../attention/transformer-decoder.js';
import * as transformerEncoder from '../attention/transformer-encoder.js';
import * as transformer from '../attention/transformer.js';
import { entriesOf } from '../containers/entries.js';
import * as moduleDict from '../containers/module-dict.js';
import * as moduleList from '../containers/module-list.js';
import * as sequential from '../containers/sequential.js';
import * as convolutionTransposed from '../convolution/conv-transpose.js';
import * as convolution from '../convolution/conv.js';
import * as dropout from '../dropout/dropout.js';
import * as lazyConvolution from '../lazy/lazy-conv.js';
import * as lazyLinear from '../lazy/lazy-linear.js';
import * as lazyNorm from '../lazy/lazy-norm.js';
import * as bilinear from '../linear/bilinear.js';
import * as distance from '../linear/distance.js';
import * as identity from '../linear/identity.js';
import * as linear from '../linear/linear.js';
import * as adaptiveLogSoftmax from '../loss/adaptive-log-softmax.js';
import * as binaryLosses from '../loss/binary.js';
import * as classificationLosses from '../loss/classification.js';
import * as ctc from '../loss/ctc.js';
import * as marginLosses from '../loss/margin.js';
import * as regressionLosses from '../loss/regression.js';
import * as batchNorm from '../normalization/batch-norm.js';
import * as instanceNorm from '../normalization/instance-norm.js';
import * as layerNorm from '../normalization/layer-norm.js';
import * as localResponseNorm from '../normalization/local-response-norm.js';
import * as adaptivePool from '../pooling/adaptive-pool.js';
import * as avgPool from '../pooling/avg-pool.js';
import * as fractionalMaxPool from '../pooling/fractional-max-pool.js';
import * as lpPool from '../pooling/lp-pool.js';
import * as maxPool from '../pooling/max-pool.js';
import * as maxUnpool from '../pooling/max-unpool.js';
import * as recurrentCells from '../rnn-cells.js';
import * as recurrent from '../rnn.js';
import * as flatten from '../shape/flatten.js';
import * as fold from '../shape/fold.js';
import * as padding from '../shape/padding.js';
import * as shuffle from '../shape/shuffle.js';
import * as upsample from '../shape/upsample.js';
import * as embeddingBag from '../sparse/embedding-bag.js';
import * as embedding from '../sparse/embedding.js';
import { BUILT_IN_SIGNATURES } from './built-in-signatures.js';
import type { Layer, ModuleClass } from './registry.js';
import { parseSignature } from './signature.js';

const CLASSES: Readonly<Record<string, unknown>> = {
  ...activationExponential,
  ...activationGelu,
  ...activationRelu,
  ...activationSigmoid,
  ...activationSoft,
  ...activationSoftmax,
  ...activationTanh,
  ...multiheadAttention,
  ...transformerDecoder,
  ...transformerEncoder,
  ...transformer,
  ...moduleDict,
  ...moduleList,
  ...sequential,
  ...convolution,
  ...convolutionTransposed,
  ...dropout,
  ...lazyConvolution,
  ...lazyLinear,
  ...lazyNorm,
  ...bilinear,
  ...distance,
  ...identity,
  ...linear,
  ...adaptiveLogSoftmax,
  ...binaryLosses,
  ...classificationLosses,
  ...ctc,
  ...marginLosses,
  ...regressionLosses,
  ...batchNorm,
  ...instanceNorm,
  ...layerNorm,
  ...localResponseNorm,
  ...adaptivePool,
  ...avgPool,
  ...fractionalMaxPool,
  ...lpPool,
  ...maxPool,
  ...maxUnpool,
  ...recurrent,
  ...recurrentCells,
  ...flatten,
  ...fold,
  ...padding,
  ...shuffle,
  ...upsample,
  ...embedding,
  ...embeddingBag,
};

type Read = (module: never) => Readonly<Record<string, unknown>>;

/** The modules of a container; in a list whose names are its numbers they go without. */
const children = (module: Module): [string, Module][] => [...entriesOf<Module>(module)];
const numbered = (module: Module): Module[] => children(module).map(([, child]) => child);

/** Its fields of these names are parts: the options say what was given. */
const withOptions = ({ options }: transformerEncoder.TransformerEncoderLayer | transformerDecoder.TransformerDecoderLayer) => ({
  dropout: undefined,
  bias: undefined,
  ...options,
  activation: options.activation ?? 'relu',
});

/** A stack is made of copies of its first layer; that all are alike is checked when the document is built again. */
const stackOf = (name: string) => (module: transformerEncoder.TransformerEncoder) => ({
  [name]: module.layers.at(0),
  numLayers: module.layers.length,
});

function transformerParts(module: transformer.Transformer): Record<string, unknown> {
  const { encoder, decoder } = module;
  const ours = encoder instanceof transformerEncoder.TransformerEncoder ? encoder : null;
  const theirs = decoder instanceof transformerDecoder.TransformerDecoder ? decoder : null;
  const first = (ours ?? theirs)?.layers.at(0) as { readonly options?: object } | undefined;
  return {
    ...first?.options,
    dModel: module.dModel,
    nhead: module.nhead,
    batchFirst: module.batchFirst,
    ...(ours === null ? { customEncoder: encoder } : { numEncoderLayers: ours.numLayers }),
    ...(theirs === null ? { customDecoder: decoder } : { numDecoderLayers: theirs.numLayers }),
  };
}

const READERS: Readonly<Record<string, Read>> = {
  Sequential: (module: sequential.Sequential) => ({
    modules: children(module).every(([name], i) => name === String(i)) ? numbered(module) : [children(module)],
  }),
  ModuleList: (module: Module) => ({ modules: numbered(module) }),
  ModuleDict: (module: Module) => ({ modules: children(module) }),
  PairwiseDistance: (module: distance.PairwiseDistance) => ({ p: module.norm }),
  RNN: (module: { readonly kind: string }) => ({ nonlinearity: module.kind }),
  MultiheadAttention: (module: multiheadAttention.MultiheadAttention) => ({
    bias: module.in_proj_bias !== null,
    addBiasKv: module.bias_k !== null,
    kdim: module.kdim === module.embedDim ? null : module.kdim,
    vdim: module.vdim === module.embedDim ? null : module.vdim,
  }),
  TransformerEncoderLayer: withOptions,
  TransformerDecoderLayer: withOptions,
  TransformerEncoder: stackOf('encoderLayer'),
  TransformerDecoder: stackOf('decoderLayer'),
  Transformer: transformerParts,
  LayerNorm: (module: layerNorm.LayerNorm) => ({ bias: !module.elementwiseAffine || isParameter(module.bias) }),
  BCEWithLogitsLoss: (module: binaryLosses.BCEWithLogitsLoss) => ({ posWeight: module.pos_weight }),
  AdaptiveLogSoftmaxWithLoss: (module: adaptiveLogSoftmax.AdaptiveLogSoftmaxWithLoss) => ({
    cutoffs: module.cutoffs.slice(0, -1),
    headBias: module.head.bias !== null,
  }),
};

let made: readonly Layer[] | null = null;

/** All of them; put together when first asked for. */
export function builtInLayers(): readonly Layer[] {
  return (made ??= [...BUILT_IN_SIGNATURES].map(([name, text]) => ({
    name,
    module: CLASSES[name] as ModuleClass,
    signature: parseSignature(text),
    ...(READERS[name] && { read: READERS[name] }),
  })));
}
