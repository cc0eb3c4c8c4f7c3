/** @file The models that the page brings, as the editor shows them: the very files that run. */
import cnn from '../../../examples/train-digits/model.ts?raw';
import shared from './custom-layer.ts?raw';
import mlp from './mlp.ts?raw';
import regularized from './regularized.ts?raw';
import rnn from './row-reader.ts?raw';

export interface ModelSource {
  readonly id: string;
  readonly label: string;
  readonly source: string;
}

export const SOURCES: readonly ModelSource[] = [
  { id: 'cnn', label: 'CNN: two convolutions', source: cnn },
  { id: 'mlp', label: 'MLP: two linear layers', source: mlp },
  { id: 'rnn', label: 'RNN: reads row by row', source: rnn },
  { id: 'shared', label: 'Custom layer, shared weights', source: shared },
  { id: 'regularized', label: 'CNN with batch norm and dropout', source: regularized },
];
