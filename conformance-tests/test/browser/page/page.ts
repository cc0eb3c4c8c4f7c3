/** @file A page that runs the kit on the backends of `?device=`, on what `?only=` picks, and shows the scorecards. */
import { cpuPlugin } from '@tessera/backend-cpu';
import { wasmPlugin } from '@tessera/backend-wasm';
import { fetchFiles, fixtureSource, htmlOf, runConformance, type Scorecard, summaryOf } from '../../../src/index.js';

const query = new URLSearchParams(location.search);
const only = query.get('only');
const progress = document.getElementById('progress')!;
const cards: Scorecard[] = [];
for (const device of (query.get('device') ?? 'cpu').split(',')) {
  const card = await runConformance({
    plugin: device === 'wasm' ? wasmPlugin : cpuPlugin,
    device,
    // A bundler moves the kit away from its data: the page says where the server has them.
    fixtures: fixtureSource(fetchFiles('/fixtures')),
    ...(only !== null && { only }),
    onRow: ({ level, name, passed }, { done, of }) => progress.append(`${device} ${done}/${of} ${level} ${name}: ${passed} passed\n`),
  });
  cards.push(card);
  progress.append(`${device}: ${summaryOf(card)}\n`);
}
document.querySelector<HTMLIFrameElement>('#scorecard')!.srcdoc = htmlOf(cards);
document.title = 'done';
