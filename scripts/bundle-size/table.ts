/** @file The table of docs/bundle-size.md. */
import type { Bundle } from './bundles.js';
import type { Weight } from './measure.js';

const kB = (bytes: number): string => (bytes / 1000).toFixed(1);

export function table(rows: readonly { readonly bundle: Bundle; readonly weight: Weight }[]): string {
  const lines = rows.map(({ bundle, weight }) => {
    const parts = weight.parts.filter(([, bytes]) => bytes >= 5000).map(([name, bytes]) => `${name} ${kB(bytes)}`);
    return `| ${bundle.name} | ${kB(weight.first)} | ${kB(weight.all)} | ${kB(bundle.limit)} | ${kB(weight.minified)} | ${parts.join(', ')} |`;
  });
  return `# Bundle sizes

Made by \`npm run size\`; do not edit it by hand. Each program of \`scripts/bundle-size/bundles.ts\` is bundled with esbuild
(\`--bundle --minify --splitting --format=esm\`) and compressed with gzip. In kB (1,000 bytes). "At once" is what the page loads to run its first line; "in all" adds the chunks
that it fetches later, such as the backend that \`init\` chooses. A test fails when a program passes its limit.

| program | at once | in all | limit | minified | of which, minified |
| --- | ---: | ---: | ---: | ---: | --- |
${lines.join('\n')}

What this says

- \`tessera/functional\` leaves out what is not called: functions in place of methods, inference only. Everything else hangs on \`Tensor.prototype\`, which a bundler cannot see through: with methods, all ops are in the bundle.
- \`import { nn } from 'tessera'\` brings all layers (esbuild keeps a re-exported namespace whole); \`import { Conv2d } from '@tessera/layers'\` brings what is used.
- Others, for one op: jax-js 76 to 95 kB, TensorFlow.js 77 kB and 137 kB of WebAssembly, onnxruntime-web 24 kB and 3,678 kB.
- One op on wasm is under the aim of 45 kB with the backend in parts: \`wasmPluginOf([])\` has memory and pointwise programs on one thread, and the parts of \`tessera/wasm\` add products, reductions,
  indexing, sorting, math functions, threads and the accelerated kernels. A program that needs a part that it left out throws \`ERR_PART_LEFT_OUT\`, which names the part. \`wasmPlugin\` has all of them.
- What weighs in it: the assembler and its instruction tables (7 kB), the code of pointwise programs (7 kB), tensors, values and launches (10 kB), the declaration of ops with their gradients (7 kB), runtime, plugins and devices (4 kB).
- The functional entry brings neither tsyringe nor its reflection polyfill (9 kB), nor the engine of autograd, nor PyTorch's random numbers where none are drawn (4 kB).
`;
}
