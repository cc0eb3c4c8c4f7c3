/** @file The scorecard as JSON, Markdown and HTML: the same facts in each, and nothing in the data breaks the page. */
import { describe, expect, it } from 'vitest';
import { htmlOf, levelTotals, markdownOf, overviewLines, reasonTotals, runConformance, type Scorecard } from '../src/index.js';
import { FAULTS } from './support/faults/index.js';

const card: Scorecard = await runConformance({
  name: 'broken </script><b>',
  create: FAULTS['scatter ignores duplicates'].make,
  levels: ['kernels', 'ops'],
  only: 'scatter,cat',
});

describe('a scorecard', () => {
  it('counts by level, and by reason', () => {
    const [kernels, ops] = levelTotals(card);
    expect(kernels.level).toBe('kernels');
    expect(kernels.failed).toBeGreaterThan(0);
    expect(ops.passed + ops.failed + ops.skipped).toBe(card.passed + card.failed + card.skipped - kernels.passed - kernels.failed);
    expect(reasonTotals(card)).toContainEqual({ kind: 'scope', reason: 'there is no out= argument here', cases: 3, names: ['cat'] });
    expect(overviewLines(card).join('\n')).toMatch(/^kernels +\d+ passed +\d+ failed +0 not run +\d+\.\d %/);
  });

  it('is Markdown with a table of each level and the failures', () => {
    const text = markdownOf(card);
    expect(text).toContain('| kernels |');
    expect(text).toContain('## ops');
    expect(text).toMatch(/- `scatter\/add\/same-target` \(kernel\): /);
  });

  it('is one HTML page with all that is known of a failure, and the command that runs it', () => {
    const page = htmlOf([card, card], (device, level, id) => `run --device ${device} --just ${level} --only '${id}'`);
    expect(page).not.toMatch(/(src|href)=/);
    const data = /<script id="data" type="application\/json">(.*?)<\/script>/s.exec(page)![1];
    const { rows, devices } = JSON.parse(data) as {
      devices: { name: string }[];
      rows: { name: string; results: { failures: { id: string; message: string; command: string }[] }[] }[];
    };
    expect(devices.map(({ name }) => name)).toEqual([card.device, card.device]);
    const [failure] = rows.find(({ name }) => name === 'scatter')!.results[1].failures;
    expect(failure.message).toContain('expected');
    expect(failure.command).toContain(`--just kernels --only '${failure.id}'`);
    // A name cannot end the element that it stands in.
    expect(page.split('</script>')).toHaveLength(3);
    expect(page).toContain('<title>Conformance of broken &lt;/script>&lt;b>');
  });
});
