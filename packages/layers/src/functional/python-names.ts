/** @file Functions of F that everyone types, as Python spells them. */
import { renamed } from '@tessera/core';

/** @deprecated It is F.crossEntropy here. */
export const cross_entropy: never = /* @__PURE__ */ renamed('F', 'cross_entropy', 'F.crossEntropy');
/** @deprecated It is F.mseLoss here. */
export const mse_loss: never = /* @__PURE__ */ renamed('F', 'mse_loss', 'F.mseLoss');
/** @deprecated It is F.l1Loss here. */
export const l1_loss: never = /* @__PURE__ */ renamed('F', 'l1_loss', 'F.l1Loss');
/** @deprecated It is F.smoothL1Loss here. */
export const smooth_l1_loss: never = /* @__PURE__ */ renamed('F', 'smooth_l1_loss', 'F.smoothL1Loss');
/** @deprecated It is F.nllLoss here. */
export const nll_loss: never = /* @__PURE__ */ renamed('F', 'nll_loss', 'F.nllLoss');
/** @deprecated It is F.klDiv here. */
export const kl_div: never = /* @__PURE__ */ renamed('F', 'kl_div', 'F.klDiv');
/** @deprecated It is F.binaryCrossEntropy here. */
export const binary_cross_entropy: never = /* @__PURE__ */ renamed('F', 'binary_cross_entropy', 'F.binaryCrossEntropy');
/** @deprecated It is F.binaryCrossEntropyWithLogits here. */
export const binary_cross_entropy_with_logits: never = /* @__PURE__ */ renamed(
  'F',
  'binary_cross_entropy_with_logits',
  'F.binaryCrossEntropyWithLogits',
);
/** @deprecated It is F.logSoftmax here. */
export const log_softmax: never = /* @__PURE__ */ renamed('F', 'log_softmax', 'F.logSoftmax');
/** @deprecated It is F.leakyRelu here. */
export const leaky_relu: never = /* @__PURE__ */ renamed('F', 'leaky_relu', 'F.leakyRelu');
/** @deprecated It is F.maxPool2d here. */
export const max_pool2d: never = /* @__PURE__ */ renamed('F', 'max_pool2d', 'F.maxPool2d');
/** @deprecated It is F.avgPool2d here. */
export const avg_pool2d: never = /* @__PURE__ */ renamed('F', 'avg_pool2d', 'F.avgPool2d');
/** @deprecated It is F.adaptiveAvgPool2d here. */
export const adaptive_avg_pool2d: never = /* @__PURE__ */ renamed('F', 'adaptive_avg_pool2d', 'F.adaptiveAvgPool2d');
/** @deprecated It is F.layerNorm here. */
export const layer_norm: never = /* @__PURE__ */ renamed('F', 'layer_norm', 'F.layerNorm');
/** @deprecated It is F.batchNorm here. */
export const batch_norm: never = /* @__PURE__ */ renamed('F', 'batch_norm', 'F.batchNorm');
/** @deprecated It is F.scaledDotProductAttention here. */
export const scaled_dot_product_attention: never = /* @__PURE__ */ renamed(
  'F',
  'scaled_dot_product_attention',
  'F.scaledDotProductAttention',
);
/** @deprecated It is F.cosineSimilarity here. */
export const cosine_similarity: never = /* @__PURE__ */ renamed('F', 'cosine_similarity', 'F.cosineSimilarity');
/** @deprecated It is F.oneHot here. */
export const one_hot: never = /* @__PURE__ */ renamed('F', 'one_hot', 'F.oneHot');
