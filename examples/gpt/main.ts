/** @file Trains a small GPT on Shakespeare's sonnets and lets it go on: `node examples/dist/gpt/main.js --steps 600`. */
import { printed, trainingOptions } from '../shared/training-options.js';
import { sample, train } from './train.js';

const options = await trainingOptions('gpt', 'Trains a GPT on sonnets, character by character, with Tessera.', { steps: 600, lr: 3e-3 });
const trained = await train(options, printed(options.steps));
console.log(`\n${await sample(trained, 'Shall I ', 400)}`);
