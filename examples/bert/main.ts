/**
 * @file Loads a BERT under Hugging Face's names and compares its answers with a reference, then trains one on reviews:
 * `node examples/dist/bert/main.js --steps 80`.
 */
import { printed, trainingOptions } from '../shared/training-options.js';
import { compareWithReference } from './reference.js';
import { train } from './train.js';

const options = await trainingOptions('bert', 'Loads a BERT, and trains one to tell good reviews from bad ones, with Tessera.', {
  steps: 80,
  lr: 2e-3,
});
console.log(`largest difference from the reference: ${(await compareWithReference(options.device)).toExponential(1)}`);
await train(options, printed(options.steps));
