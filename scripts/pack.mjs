/**
 * @file Every published package as a tarball, as npm would publish it: what to install until there is a release. Needs a build.
 *
 *   npm run build && npm run pack -- ../tessera-packages
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pack } from './packed.mjs';

if (!existsSync(join(import.meta.dirname, '../packages/tessera/dist/index.js'))) {
  console.error('error: nothing is built yet: npm run build');
  process.exit(1);
}
const folder = resolve(process.env.INIT_CWD ?? '.', process.argv[2] ?? 'tarballs');
for (const { file } of pack(folder)) console.log(file);
