/** @file Trains a small ResNet on handwritten digits: `node examples/dist/resnet/main.js --steps 200`. */
import { printed, trainingOptions } from '../shared/training-options.js';
import { train } from './train.js';

const options = await trainingOptions('resnet', 'Trains a residual network on handwritten digits, with Tessera.', { steps: 200, lr: 0.01 });
const { accuracy } = await train(options, printed(options.steps));
console.log(`${(100 * accuracy).toFixed(1)} % of the test images recognised`);
