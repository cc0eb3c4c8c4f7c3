/** @file nn.utils.prune. PyTorch: torch.nn.utils.prune. */
export {
  type Amount,
  customFromMaskMethod,
  identityMethod,
  l1UnstructuredMethod,
  lnStructuredMethod,
  type PruningMethod,
  randomStructuredMethod,
  randomUnstructuredMethod,
} from './methods.js';
export {
  customFromMask,
  globalUnstructured,
  identity,
  isPruned,
  l1Unstructured,
  lnStructured,
  pruneWith,
  pruningOf,
  randomStructured,
  randomUnstructured,
  remove,
  type ScoreOptions,
} from './prune.js';
