/** @file The models that the page brings, as the editor shows them: the very files that run. */

const texts = import.meta.glob<string>(['./cnn.ts', './mlp.ts', './row-reader.ts', './custom-layer.ts', './regularized.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
});

export interface ModelSource {
  readonly id: string;
  readonly label: string;
  readonly source: string;
}

export const SOURCES: readonly ModelSource[] = [
  { id: 'cnn', label: 'CNN: two convolutions', source: texts['./cnn.ts']! },
  { id: 'mlp', label: 'MLP: two linear layers', source: texts['./mlp.ts']! },
  { id: 'rnn', label: 'RNN: reads row by row', source: texts['./row-reader.ts']! },
  { id: 'shared', label: 'Custom layer, shared weights', source: texts['./custom-layer.ts']! },
  { id: 'regularized', label: 'CNN with batch norm and dropout', source: texts['./regularized.ts']! },
];
