import { existsSync, readFileSync } from 'node:fs';
import { defineConfig, type DefaultTheme } from 'vitepress';

/** Pages in the order in which one reads them; those that are not there (yet) are left out. */
const page = (text: string, link: string): DefaultTheme.SidebarItem[] =>
  existsSync(new URL(`..${link}.md`, import.meta.url)) ? [{ text, link }] : [];

/** What typedoc wrote (`npm run api`): a page a package, and a page for each of its namespaces. */
const api = (): DefaultTheme.SidebarItem[] => [
  {
    text: 'Tensors, autograd, modules',
    items: [
      ...page('Tensors, modules, devices', '/api/core/index'),
      ...page('autograd', '/api/core/namespaces/autograd/index'),
      ...page('autograd.functional', '/api/core/namespaces/autograd/namespaces/functional'),
      ...page('autograd.graph', '/api/core/namespaces/autograd/namespaces/graph'),
      ...page('amp', '/api/core/namespaces/amp'),
      ...page('func', '/api/core/namespaces/func'),
      ...page('linalg', '/api/core/namespaces/linalg'),
      ...page('special', '/api/core/namespaces/special'),
      ...page('signal', '/api/core/namespaces/signal/index'),
      ...page('signal.windows', '/api/core/namespaces/signal/namespaces/windows'),
      ...page('scalarFunctions', '/api/core/namespaces/scalarFunctions'),
    ],
  },
  {
    text: 'nn',
    items: [
      ...page('Layers', '/api/layers/index'),
      ...page('F: functions', '/api/layers/namespaces/F'),
      ...page('nn.init', '/api/layers/namespaces/init'),
      ...page('nn.utils', '/api/layers/namespaces/utils/index'),
      ...page('nn.utils.parametrizations', '/api/layers/namespaces/utils/namespaces/parametrizations'),
      ...page('nn.utils.parametrize', '/api/layers/namespaces/utils/namespaces/parametrize'),
      ...page('nn.utils.prune', '/api/layers/namespaces/utils/namespaces/prune'),
      ...page('nn.utils.rnn', '/api/layers/namespaces/utils/namespaces/rnn'),
    ],
  },
  {
    text: 'optim',
    items: [
      ...page('Optimizers', '/api/optim/index'),
      ...page('optim.lrScheduler', '/api/optim/namespaces/lrScheduler'),
      ...page('optim.swaUtils', '/api/optim/namespaces/swaUtils'),
    ],
  },
  { text: 'Data and files', items: [...page('data', '/api/data'), ...page('io', '/api/io')] },
];

/** GitHub's anchors, so that links into pages work there and here: `saveTorch()` is `savetorch`, `SAFETENSORS_BITS` keeps its underscore. */
const slugify = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');

export default defineConfig({
  title: 'Tessera',
  description: 'A deep-learning framework for TypeScript, modelled on torch.nn, whose backends and layers are plugins',
  // A site in a sub-path: DOCS_BASE=/tessera/ npm run build
  base: process.env.DOCS_BASE ?? '/',
  cleanUrls: false,
  markdown: {
    anchor: { slugify },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config(md) {
      // A column without a name has an empty cell above it, which is no heading.
      for (const part of ['th_open', 'th_close'] as const)
        md.renderer.rules[part] = (tokens, at, options, _, renderer) => {
          const empty = tokens[part === 'th_open' ? at + 1 : at - 1]!.content === '';
          if (empty) tokens[at]!.tag = 'td';
          return renderer.renderToken(tokens, at, options);
        };
    },
  },
  // Of the reference, classes and functions stand beside a page, not each parameter.
  transformPageData: ({ relativePath, frontmatter }) => {
    if (relativePath.startsWith('api/')) frontmatter['outline'] = [2, 3];
  },
  lastUpdated: false,
  themeConfig: {
    search: { provider: 'local' },
    outline: 'deep',
    notFound: {
      title: 'There is no such page',
      quote: 'It may have moved: try the search.',
      linkText: 'To the first page',
      linkLabel: 'To the first page',
    },
    nav: [
      { text: 'First steps', link: '/first-steps' },
      { text: 'From PyTorch', link: '/from-pytorch' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: {
      '/api/': api(),
      '/': [
        {
          text: 'Start',
          items: [
            ...page('First steps', '/first-steps'),
            ...page('From PyTorch', '/from-pytorch'),
            ...page('All names', '/pytorch'),
            ...page('Questions', '/questions'),
          ],
        },
        {
          text: 'Guides',
          items: [
            ...page('Modules', '/guide/modules'),
            ...page('Autograd', '/guide/autograd'),
            ...page('Training loops', '/guide/training'),
            ...page('Data', '/guide/data'),
            ...page('Devices and memory', '/guide/devices'),
            ...page('The WebGPU backend', '/webgpu'),
            ...page('Saving and loading', '/guide/saving'),
            ...page('Bundlers, pages, workers', '/guide/bundlers'),
            ...page('Mixed precision', '/guide/mixed-precision'),
            ...page('Looking inside', '/guide/looking-inside'),
            ...page('Debugging', '/guide/debugging'),
          ],
        },
        {
          text: 'Extending',
          items: [
            ...page('Plugins', '/guide/plugins'),
            ...page('Write a backend', '/write-a-backend'),
            ...page('Write a layer', '/write-a-layer'),
            ...page('The kernel contract', '/kernel-contract'),
            ...page('Conformance', '/guide/conformance'),
            ...page('Compatibility', '/compatibility'),
          ],
        },
        {
          text: 'Figures',
          items: [
            ...page('Conformance scorecards', '/conformance-scorecards'),
            ...page('Faults that the kit finds', '/conformance-faults'),
            ...page('Performance', '/performance'),
            ...page('Bundle sizes', '/bundle-size'),
            ...page('Licences', '/licences'),
          ],
        },
      ],
    },
  },
});
