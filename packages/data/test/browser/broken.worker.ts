/** @file A worker with a sample that is not there, and one that never comes. */
import { serveDataset } from '../../src/index.js';

void serveDataset({
  length: 4,
  get(i) {
    if (i === 2) throw new RangeError('sample 2 is rotten');
    return i === 3 ? new Promise(() => {}) : i;
  },
});
