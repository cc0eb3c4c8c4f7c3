import { existsSync, readFileSync } from 'node:fs';
import { defineConfig, type DefaultTheme } from 'vitepress';

/** Pages in the order in which one reads them; those that are not there (yet) are left out. */
const page = (text: string, link: string): DefaultTheme.SidebarItem[] =>
  existsSync(new URL(`..${link}.md`, import.meta.url)) ? [{ text, link }] : [];

/** What typedoc wrote (`npm run api`): a page a package. */
const api = (): DefaultTheme.SidebarItem[] => [
  {
    text: 'API',
    items: [
      ...page('Tensors, autograd, modules', '/api/core/src/index'),
      ...page('nn: layers', '/api/layers/src/index'),
      ...page('F: functions', '/api/layers/src/namespaces/F'),
      ...page('optim', '/api/optim/src/index'),
      ...page('Learning rates', '/api/optim/src/namespaces/lrScheduler'),
      ...page('data', '/api/data/src'),
      ...page('io', '/api/io/src'),
      ...page('linalg', '/api/core/src/namespaces/linalg'),
      ...page('nn.init', '/api/layers/src/namespaces/init'),
      ...page('nn.utils', '/api/layers/src/namespaces/utils/index'),
    ],
  },
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
  markdown: { anchor: { slugify } },
  lastUpdated: false,
  themeConfig: {
    search: { provider: 'local' },
    outline: 'deep',
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
