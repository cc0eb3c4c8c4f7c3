/** @file A module worker that trains, and tells each loss. */
import { forEver, training } from './training.js';

const { step } = await training();
await forEver(step, (loss) => postMessage(loss));
