/** @file Trains an LSTM to tell good reviews from bad ones: `node examples/dist/lstm-text/main.js --steps 120`. */
import { printed, trainingOptions } from '../shared/training-options.js';
import { praise, train } from './train.js';

const options = await trainingOptions('lstm-text', 'Trains an LSTM to tell good reviews from bad ones, with Tessera.', {
  steps: 120,
  lr: 5e-3,
});
const trained = await train(options, printed(options.steps));
console.log(`${(100 * trained.accuracy).toFixed(1)} % of the reviews told apart`);
for (const text of ['a lovely film with a perfect cast', 'a boring film with a weak script', 'the jokes were awful but i loved it'])
  console.log(`${((await praise(trained, text)) * 100).toFixed(0).padStart(3)} %  ${text}`);
