/** @file docs/conformance-scorecards.md out of scorecards: the devices side by side, level by level, and why cases were not run. */

const LEVELS = ['kernels', 'ops', 'modules', 'optimizers', 'training'];
const KINDS = {
  optional: 'optional, and the backend leaves it to others',
  device: 'the device has not',
  scope: 'left out on purpose',
  difference: 'differs from PyTorch on purpose, and is run',
  missing: 'does not exist yet',
};
const number = (n) => n.toLocaleString('en-US');
const table = (head, align, rows) => [
  `| ${head.join(' | ')} |`,
  `| ${align.join(' | ')} |`,
  ...rows.map((row) => `| ${row.join(' | ')} |`),
];
const escape = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;');

/** Scorecards of one device, each of other cases, as one. */
export function merged(cards) {
  const sum = (part) => cards.reduce((total, card) => total + card[part], 0);
  return { ...cards[0], passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped'), rows: cards.flatMap(({ rows }) => rows) };
}

function cell(rows) {
  if (rows.length === 0) return '–';
  const sum = (part) => rows.reduce((total, row) => total + row[part], 0);
  return [`${number(sum('passed'))} passed`, `**${number(sum('failed'))} failed**`, `${number(sum('skipped'))} not run`]
    .map((text) => (text === '**0 failed**' ? '0 failed' : text))
    .join(', ');
}

/** One sentence for the same reason on every device, and the names that it is about. */
function normal(reason, device) {
  const declined = /^(\w+) declines this call$/.exec(reason);
  if (declined) return ['an accelerated kernel declines the call, as it may: the required kernels compute it', declined[1]];
  const lacking = /^it has no kernel of its own for (\w+)$/.exec(reason);
  if (lacking) return ['there is no such accelerated kernel: the required kernels compute it', lacking[1]];
  const dtype = /^(?:.* has )?no (\w+)$/.exec(reason);
  if (dtype) return [`there is no ${dtype[1]}`, undefined];
  return [reason.replace(` of ${device} `, ' ').replace(new RegExp(`^${device} `), 'the backend '), undefined];
}

function reasonRows(cards) {
  const reasons = new Map();
  cards.forEach((card, column) => {
    for (const { name, skips } of card.rows)
      for (const { kind, reason, cases } of skips) {
        const [text, about] = normal(reason, card.device);
        const entry = reasons.get(`${kind} ${text}`) ?? { kind, text, names: new Set(), counts: cards.map(() => 0) };
        entry.names.add(about ?? name);
        entry.counts[column] += cases;
        reasons.set(`${kind} ${text}`, entry);
      }
  });
  const total = ({ counts }) => counts.reduce((a, b) => a + b, 0);
  const order = Object.keys(KINDS);
  return [...reasons.values()]
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || total(b) - total(a) || (a.text < b.text ? -1 : 1))
    .map(({ kind, text, names, counts }) => {
      const some = [...names].slice(0, 6).map((name) => `\`${name}\``);
      return [
        KINDS[kind],
        escape(text),
        some.join(', ') + (names.size > 6 ? ` and ${names.size - 6} more` : ''),
        ...counts.map((n) => (n === 0 ? '' : number(n))),
      ];
    });
}

/** Passed, failed and not run of each level, for devices side by side. */
function levelTable(devices) {
  const cards = devices.map(({ card }) => card);
  return table(
    ['level', ...devices.map(({ title }) => title)],
    ['---', ...devices.map(() => '---')],
    [
      ...LEVELS.map((level) => [level, ...cards.map((card) => cell(card.rows.filter((row) => row.level === level)))]),
      ['**all**', ...cards.map((card) => cell(card.rows))],
      ['dtypes', ...cards.map((card) => card.dtypes.join(', '))],
    ],
  );
}

/** Where a scorecard says something else than that of the same device among the five: suites that were run in other numbers, or not run for other reasons. */
function differences({ title, card }, node) {
  const rowsOf = ({ rows }) =>
    new Map(rows.map(({ level, name, passed, failed, skipped, skips }) => [`${level} \`${name}\``, { passed, failed, skipped, skips }]));
  const [here, there] = [rowsOf(card), rowsOf(node.card)];
  const text = (row) =>
    row === undefined
      ? 'not there'
      : `${row.passed} passed, ${row.failed} failed, ${row.skipped} not run${row.skips.map(({ reason, cases }) => `; ${cases} of them: ${reason}`).join('')}`;
  return [...new Set([...there.keys(), ...here.keys()])]
    .filter((name) => JSON.stringify(here.get(name)) !== JSON.stringify(there.get(name)))
    .map((name) => `- ${title}, ${name}: ${escape(text(here.get(name)))}. Above: ${escape(text(there.get(name)))}`);
}

/** More runs of some of the five: in other ways, in another place. */
function morePart(heading, sentence, devices, five) {
  const others = devices.flatMap((device) =>
    differences(
      device,
      five.find(({ title }) => title === device.card.device),
    ),
  );
  return [
    `## ${heading}`,
    '',
    sentence,
    '',
    ...devices.map(({ title, about }) => `- **${title}**: ${about}`),
    '',
    ...levelTable(devices),
    '',
    ...(others.length === 0
      ? ['Suite by suite these are the numbers and reasons of the first table.']
      : ['Suite by suite these are the numbers and reasons of the first table, but for:', '', ...others]),
    '',
  ];
}

/**
 * The page. Each list has `{ title, about, card }` of each run, in the order of the columns; `card.device` tells which device it is.
 * @param five All devices, in Node.
 * @param wasm That device in each of its ways, in Node.
 * @param chromium Devices in Chromium.
 */
export function scorecardsPage({ five, wasm, chromium }) {
  const versions = [...new Set(chromium.map(({ card }) => card.browser.replace(/,.*$/, '')))];
  const failures = [...five, ...wasm, ...chromium].flatMap(({ title, card }) =>
    card.rows.flatMap((row) =>
      row.failures.map((failure) => ({ device: card.browser === undefined ? title : `${title} (${card.browser})`, ...failure })),
    ),
  );
  return [
    '# Conformance scorecards',
    '',
    'Made by `npm run scorecards`; do not edit it by hand. The whole [conformance kit](guide/conformance.md) on five backends: the three that Tessera brings,',
    'and two plugins in packages of their own. Every case that is not run is counted, with its reason.',
    '',
    '## In Node',
    '',
    ...five.map(({ title, about }) => `- **${title}**: ${about}`),
    '',
    ...levelTable(five),
    '',
    ...morePart('WebAssembly in each of its ways', 'In Node as well.', wasm, five),
    ...morePart(
      'In Chromium',
      `By \`npm run conformance:full -- --device wasm --browser\`, in pages that are cross-origin isolated: ${versions.join(', ')}.`,
      chromium,
      five,
    ),
    '## What was not run, and why',
    '',
    'How many cases on each device, of the first table.',
    '',
    ...table(
      ['kind', 'reason', 'where', ...five.map(({ title }) => title)],
      ['---', '---', '---', ...five.map(() => '---:')],
      reasonRows(five.map(({ card }) => card)),
    ),
    '',
    '## What failed',
    '',
    ...(failures.length === 0
      ? ['Nothing.']
      : failures.map(({ device, id, stage, message }) => `- ${device}: \`${id}\` (${escape(stage)}): ${escape(message)}`)),
    '',
  ].join('\n');
}
