import type { Cell } from './compare/compare.ts';

/** What docs/benchmarks.json holds and the page is made from. */
export interface Results {
  readonly date: string;
  /** Name and value, as a reader wants to know of the machine. */
  readonly machine: Readonly<Record<string, string>>;
  readonly comparison: {
    readonly rounds: number;
    readonly contenders: readonly {
      readonly name: string;
      readonly text: string;
      readonly moves: string;
    }[];
    readonly cells: readonly Cell[];
  };
  readonly figures: readonly Figure[];
}

/** One thing that was measured, and what it is meant to be at most. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Null: stated, without an aim. */
  readonly limit: number | null;
}

/** What the medians of the pair are meant to be at most; null: stated. */
const AIMS: Readonly<
  Record<string, { readonly gap: number | null; readonly lost: number | null }>
> = {
  'planned move': { gap: 10, lost: 0 },
  'HAProxy killed': { gap: 15, lost: 3 },
  'HAProxy stopped softly': { gap: 15, lost: null },
  'HAProxy frozen': { gap: null, lost: null },
  'its host cut off': { gap: 250, lost: null },
  'its daemon killed': { gap: null, lost: null },
  'adverts filtered': { gap: null, lost: null },
};

/** docs/benchmarks.md. */
export function benchmarksPage(results: Results): string {
  const { comparison, figures, machine, date } = results;
  const { contenders, cells, rounds } = comparison;
  const [ours] = contenders;
  const parts = [
    '# Benchmarks',
    `Written by \`npm run bench\` on ${date}; [benchmarks.json](benchmarks.json) has every figure. ` +
      'Run it yourself: what counts is how the columns compare on one machine.',
    list(Object.entries(machine).map(([name, value]) => `${name}: ${value}`)),
    '## Beside what people have',
    `Two hosts as network namespaces of one machine, one switch, the same HAProxy, and a client that ` +
      `opens 200 new connections a second to the address. Each scene at most ${rounds} times, fewer ` +
      'where nobody takes over. A cell is the longest time without an answer (median, worst), then ' +
      'the connections lost (median, worst).',
    list(contenders.map(({ name, text, moves }) => `**${name}**: ${text}; planned move: ${moves}`)),
    table(
      ['', ...contenders.map(({ name }) => name)],
      scenesOf(cells).map((scene) => [
        scene,
        ...contenders.map(({ name }) => cellText(find(cells, name, scene))),
      ]),
    ),
    ...(ours === undefined ? [] : [better(cells, ours.name, contenders)]),
    ...(ours === undefined ? [] : ['## Aims', aims(cells, ours.name, figures)]),
  ];
  return `${parts.join('\n\n')}\n`;
}

const scenesOf = (cells: readonly Cell[]): string[] => [
  ...new Set(cells.map(({ scene }) => scene)),
];
const find = (cells: readonly Cell[], contender: string, scene: string): Cell | undefined =>
  cells.find((cell) => cell.contender === contender && cell.scene === scene);

const span = ({ median, most }: Cell['gap_ms']): string => `${median} (${most})`;

function cellText(cell: Cell | undefined): string {
  if (cell === undefined) return '-';
  const stays = cell.moved === 0 ? 'stays; ' : '';
  return `${stays}${span(cell.gap_ms)} ms, ${span(cell.lost)} lost`;
}

/** Where somebody else is ahead, said by the figures themselves. */
function better(
  cells: readonly Cell[],
  ours: string,
  contenders: readonly { readonly name: string }[],
): string {
  const lines = scenesOf(cells).flatMap((scene) => {
    const own = find(cells, ours, scene);
    return contenders.flatMap(({ name }) => {
      const theirs = find(cells, name, scene);
      if (own === undefined || theirs === undefined || name === ours) return [];
      const shorter = theirs.gap_ms.median < own.gap_ms.median;
      const fewer = theirs.lost.median < own.lost.median;
      if (!shorter && !fewer) return [];
      const by = [
        ...(shorter ? [`${theirs.gap_ms.median} ms against ${own.gap_ms.median}`] : []),
        ...(fewer ? [`${theirs.lost.median} lost against ${own.lost.median}`] : []),
      ];
      return [`${scene}: ${name} has ${by.join(' and ')}`];
    });
  });
  return lines.length === 0
    ? 'Nobody is ahead of the pair in a median of this run.'
    : `Where others are ahead of the pair, by medians:\n\n${list(lines)}`;
}

function aims(cells: readonly Cell[], ours: string, figures: readonly Figure[]): string {
  const ofScenes = Object.entries(AIMS).flatMap(([scene, { gap, lost }]): Figure[] => {
    const cell = find(cells, ours, scene);
    if (cell === undefined) return [];
    return [
      { what: `${scene}: longest gap`, value: cell.gap_ms.median, unit: 'ms', limit: gap },
      { what: `${scene}: lost`, value: cell.lost.median, unit: '', limit: lost },
    ];
  });
  return table(
    ['what', 'measured', 'aim', 'reached'],
    [...ofScenes, ...figures].map(({ what, value, unit, limit }) => [
      what,
      `${value} ${unit}`.trim(),
      limit === null ? 'stated' : `${limit} ${unit}`.trim(),
      limit === null ? '' : value <= limit ? 'yes' : '**no**',
    ]),
  );
}

const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n');

/** Columns padded, as the formatter of this repository wants them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, at) =>
    Math.max(3, name.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
