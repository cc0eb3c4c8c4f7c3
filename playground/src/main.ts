/** @file The page. Each view starts when it is first opened. */
import './styles/base.css';
import './styles/train.css';
import './styles/lab.css';
import { startRouter, type ViewName } from './ui/router.js';
import { startTheme } from './ui/theme.js';

const VIEWS: { readonly [V in ViewName]: () => Promise<unknown> } = {
  train: async () => new (await import('./views/train-view.js')).TrainView(),
  conformance: async () => new (await import('./views/conformance-view.js')).ConformanceView(),
  benchmarks: async () => new (await import('./views/benchmarks-view.js')).BenchmarksView(),
};

const started = new Set<ViewName>();

startTheme();
startRouter((view) => {
  if (started.has(view)) return;
  started.add(view);
  void VIEWS[view]();
});
