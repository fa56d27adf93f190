import ava from 'ava';
import { newSite, SITE_NAMES } from '../lab/certificates.ts';
import { labMissing } from '../lab/lab.ts';
import { calm, eventually, exitOf, fault, nodeAt, scene, asAtFirst, asked } from '../pair/scene.ts';
import { filed } from '../pair/swaps.ts';
import { channels, factOf, TELLING } from './channels.ts';
import type { Channels, Event, Telling, Told } from './channels.ts';

// Everything that happens is told by mail, program and webhook, and is seen in metrics, on the page
// and in the events, by whom it concerns, within ten seconds; each once over the pair.
const { test, lab } = scene({ maxMoves: 100, channels: true, metrics: true, web: true });
const SOON_MS = 10_000;
const DAY_S = 86_400;

let open: Channels | null = null;
const seen = (): Channels => {
  if (open === null) throw new Error('nobody looks');
  return open;
};

ava.serial.before('somebody outside looks and is told', async () => {
  if (labMissing() !== null) return;
  await calm(lab());
  open = channels(lab());
  // What came before they were there is tried again, later each time.
  const all = (): boolean =>
    TELLING.every((way) =>
      seen()
        .told(way)
        .some(({ fact }) => fact.startsWith('moved ')),
    );
  await eventually('the first move is told', all, 60_000);
});
ava.serial.after.always('nobody looks any more', async () => {
  await open?.end();
});

const names = (): readonly [string, string] => [nodeAt(lab(), 0).name, nodeAt(lab(), 1).name];

/** What a line of metrics is and a part of the page has; at these places, or at both. */
interface Look {
  readonly metrics?: RegExp;
  readonly part?: readonly [string, RegExp];
  /** It must not be there. */
  readonly gone?: true;
  readonly at?: readonly number[];
}

interface Wanted {
  /** As `Told` has them. */
  readonly told: readonly string[];
  readonly looks: readonly Look[];
  /** Whose record is asked; absent: the first's. */
  readonly asking?: number;
}

/** Where everybody was when something began. */
type Mark = Readonly<Record<Telling, number>> & { readonly events: Set<string> };

const toldSince = (mark: Mark, way: Telling): readonly Told[] => seen().told(way).slice(mark[way]);

async function recorded(at = 0): Promise<readonly Event[]> {
  const where = ['--limit', '0', '--context', nodeAt(lab(), at).name];
  const { json } = await asked(lab(), 'events', ...where);
  return (json.result?.['events'] as readonly Event[] | undefined) ?? [];
}

const begin = async (asking = 0): Promise<Mark> => {
  const [mail, program, hook] = TELLING.map((way) => seen().told(way).length);
  const events = new Set((await recorded(asking)).map(({ id }) => id));
  return { mail: mail ?? 0, program: program ?? 0, hook: hook ?? 0, events };
};

const lines = (text: string, wanted: RegExp): boolean =>
  text.split('\n').some((line) => wanted.test(line));

function fails({ metrics, part, gone, at = [0, 1] }: Look): string[] {
  return at.flatMap((place) => {
    const text = metrics === undefined ? '' : seen().metrics(place);
    const shown = part === undefined ? '' : seen().page(place, part[0]);
    // What nobody answers is neither there nor gone.
    const wrong = [
      ...(metrics === undefined || (text !== '' && lines(text, metrics) === (gone !== true))
        ? []
        : [`metrics ${String(metrics)}`]),
      ...(part === undefined || (shown !== '' && part[1].test(shown) === (gone !== true))
        ? []
        : [`page ${part[0]} ${String(part[1])}`]),
    ];
    return wrong.map((one) => `${one} of ${place} ${gone === true ? 'is not gone' : 'is missing'}`);
  });
}

/** Resolves once everything is told and seen everywhere, at the latest ten seconds after `sinceMs`. */
async function soon(mark: Mark, sinceMs: number, wanted: Wanted): Promise<void> {
  let missing: string[] = [];
  let events: readonly Event[] = [];
  const untold = (facts: readonly string[], who: string): string[] =>
    wanted.told.filter((one) => !facts.includes(one)).map((one) => `${one} by ${who}`);
  const left = (): number => Math.max(0, sinceMs + SOON_MS - Date.now());
  try {
    await eventually(
      'it is told and seen',
      () => {
        missing = [
          ...TELLING.flatMap((way) =>
            untold(
              toldSince(mark, way).map(({ fact }) => fact),
              way,
            ),
          ),
          ...wanted.looks.flatMap(fails),
        ];
        return missing.length === 0;
      },
      left(),
    );
    await eventually(
      'it is on record',
      async () => {
        events = (await recorded(wanted.asking)).filter(({ id }) => !mark.events.has(id));
        missing = untold(events.map(factOf), 'events');
        return missing.length === 0;
      },
      Math.max(1000, left()),
    );
  } catch (cause) {
    const all = TELLING.map((way) => `${way}: ${JSON.stringify(toldSince(mark, way))}`).join('\n');
    throw new Error(`not within ten seconds:\n${missing.join('\n')}\n\nof\n${all}`, { cause });
  }
}

/** What was told more than once since, by one way only, or is on record twice: nothing may be. */
async function twice(mark: Mark): Promise<string[]> {
  const of = (way: Telling): readonly string[] =>
    toldSince(mark, way).flatMap(({ fact }) =>
      // Raised and over within one message is told by one way so, by another in two.
      fact.startsWith('brief ')
        ? [fact.replace('brief', 'raised'), fact.replace('brief', 'over')]
        : [fact],
    );
  const told = TELLING.flatMap((way) => {
    const ids = toldSince(mark, way).map(({ id }) => id);
    const found = [...repeated(ids.filter((id) => id !== '')), ...unpaired(of(way))];
    if (of(way).toSorted().join() !== of('hook').toSorted().join())
      found.push(`${of(way).join(', ')} and not as by hook: ${of('hook').join(', ')}`);
    return found.map((one) => `${way}: ${one}`);
  });
  const events = await recorded();
  const all = repeated(events.map(({ id }) => id)).map((id) => `events: ${id}`);
  // Nodes that do not hear each other both tell; on a machine that is busy enough that happens.
  const apart = events.some(({ id, kind }) => kind === 'peer-lost' && !mark.events.has(id));
  return [...(apart ? [] : told), ...all];
}

const repeated = (all: readonly string[]): string[] => [
  ...new Set(all.filter((one, at) => all.indexOf(one) !== at)),
];

/** Alerts that were told again without their end in between, or ended twice. */
function unpaired(facts: readonly string[]): string[] {
  const last = new Map<string, string>();
  return facts.filter((fact) => {
    const [, word = '', key = ''] = /^(raised|over) (.*)$/.exec(fact) ?? [];
    const again = word !== '' && last.get(key) === word;
    last.set(key, word);
    return again;
  });
}

const metric = (name: string, labels: string, value: string): RegExp =>
  new RegExp(`^proxyctl_${name}(?=[{ ])(?=.*${labels}).* ${value}$`);
const alertOf = (id: string, subject = ''): RegExp =>
  metric('alert', `id="${id}".*subject="${subject}`, '1');
/** An alert that stands, on both nodes' metrics and pages; or that is gone. */
const alert = (id: string, more: Omit<Look, 'metrics' | 'part'> = {}): Look[] => [
  { metrics: alertOf(id), ...more },
  { part: ['alerts', new RegExp(`>${id}<`)], ...more },
];
const master = (at: number): Look[] => [
  { metrics: metric('address_carp_state', 'state="MASTER"', '1'), at: [at] },
  { part: ['events', />moved</] },
];

test('a failover and the way home', async (t) => {
  const [first, second] = names();
  const mark = await begin();
  t.is(await exitOf(lab(), 'failover', '--to', second, '--reason', 'kernel update'), 0);
  const pinned = { metrics: metric('address_pinned', `owner="${second}"`, '1') };
  const shown = { part: ['addresses', /kernel update/] } as const;
  await soon(mark, Date.now(), {
    told: [`moved ${second}`],
    looks: [pinned, shown, ...master(1)],
  });
  t.is(await exitOf(lab(), 'failback'), 0);
  await soon(mark, Date.now(), {
    told: [`moved ${first}`],
    looks: [{ ...pinned, gone: true }, { ...shown, gone: true }, ...master(0)],
  });
  await calm(lab());
  t.deepEqual(await twice(mark), []);
});

test('HAProxy is killed and comes back', async (t) => {
  const [first, second] = names();
  const mark = await begin();
  let sinceMs = Date.now();
  await fault(lab(), 'kill-haproxy', 'on', nodeAt(lab(), 0));
  await soon(mark, sinceMs, {
    told: [`raised haproxy-down haproxy ${first}`, `moved ${second}`],
    looks: [...alert('haproxy-down'), ...master(1)],
  });
  sinceMs = Date.now();
  await fault(lab(), 'kill-haproxy', 'off', nodeAt(lab(), 0));
  await soon(mark, sinceMs, {
    told: [`over haproxy-down haproxy ${first}`, `moved ${first}`],
    looks: [...alert('haproxy-down', { gone: true }), ...master(0)],
  });
  await calm(lab());
  t.deepEqual(await twice(mark), []);
});

test('a fence and its end', async (t) => {
  const [, second] = names();
  const key = `fenced ${second} ${second}`;
  const mark = await begin();
  /** When it is seen at first that the second node fences itself, or does no more. */
  const fenced = async (value: string): Promise<number> => {
    const look = metric('fenced', '', value);
    await eventually(`fenced is ${value}`, () => lines(seen().metrics(1), look));
    return Date.now();
  };
  await fault(lab(), 'carp', 'on', nodeAt(lab(), 1));
  try {
    await soon(mark, await fenced('1'), {
      told: [`raised ${key}`, 'raised adverts-lost carp'],
      looks: [
        ...alert('fenced'),
        ...alert('adverts-lost'),
        { metrics: metric('fenced', '', '0'), at: [0] },
      ],
    });
  } finally {
    await fault(lab(), 'carp', 'off', nodeAt(lab(), 1));
  }
  await soon(mark, await fenced('0'), {
    told: [`over ${key}`],
    looks: alert('fenced', { gone: true }),
  });
  // That adverts arrive again is believed after a trial.
  await asAtFirst(lab());
  await soon(mark, Date.now(), {
    told: ['over adverts-lost carp'],
    looks: alert('adverts-lost', { gone: true }),
  });
  t.deepEqual(await twice(mark), []);
});

test('a certificate comes to its last thirty days and is renewed', async (t) => {
  const key = 'problem certificate-expiry site';
  const mark = await begin();
  const days = 30 + 20 / DAY_S;
  const atMs = Date.now() + (days - 30) * DAY_S * 1000;
  const pem = await newSite(days, SITE_NAMES);
  t.is(await exitOf(lab(), 'cert', 'push', filed(lab(), pem)), 0);
  await eventually('its end is seen', () =>
    lines(seen().metrics(0), metric('certificate_not_after_timestamp_seconds', 'site', '\\d+')),
  );
  t.deepEqual(fails({ metrics: alertOf('problem', 'certificate-expiry'), gone: true }), []);
  await eventually('its last days begin', () => Date.now() >= atMs);
  await soon(mark, atMs, {
    told: [`raised ${key}`],
    looks: [
      { metrics: alertOf('problem', 'certificate-expiry') },
      { metrics: metric('certificate_finding', 'finding="expiry"', '1') },
      { part: ['alerts', /certificate-expiry/] },
      { part: ['certificates', /ends in 29 days/] },
    ],
  });
  t.is(await exitOf(lab(), 'cert', 'push', filed(lab(), await newSite(60))), 0);
  await soon(mark, Date.now(), {
    told: [`over ${key}`],
    looks: [
      { metrics: alertOf('problem', 'certificate-expiry'), gone: true },
      { part: ['alerts', /certificate-expiry/], gone: true },
      { part: ['certificates', /59 days/] },
    ],
  });
  await calm(lab());
  t.deepEqual(await twice(mark), []);
});

test('pause and resume', async (t) => {
  const [first] = names();
  const mark = await begin();
  t.is(await exitOf(lab(), 'pause', '--reason', 'switch work'), 0);
  await soon(mark, Date.now(), {
    told: [`pause ${first}`],
    looks: [
      { metrics: metric('automation_paused', '', '1') },
      { part: ['summary', /paused.*switch work/] },
    ],
  });
  t.is(await exitOf(lab(), 'resume'), 0);
  await soon(mark, Date.now(), {
    told: [`resume ${first}`],
    looks: [
      { metrics: metric('automation_paused', '', '0') },
      { part: ['summary', /paused/], gone: true },
    ],
  });
  t.deepEqual(await twice(mark), []);
});

test('the agent that tells is killed in the middle of it: the other tells, and what follows', async (t) => {
  const [first, second] = names();
  const dead = `haproxy-down haproxy ${second}`;
  const away = `not-heard ${first}`;
  const mark = await begin();
  seen().slow(4);
  await fault(lab(), 'kill-haproxy', 'on', nodeAt(lab(), 1));
  await eventually('it is being told', () => seen().begun().length === TELLING.length, SOON_MS);
  let sinceMs = Date.now();
  await fault(lab(), 'kill-agent', 'on', nodeAt(lab(), 0));
  seen().slow(0);
  const at = [1];
  await soon(mark, sinceMs, {
    told: [`raised ${dead}`, `raised ${away}`],
    looks: [...alert('haproxy-down', { at }), ...alert('not-heard', { at })],
    asking: 1,
  });
  // What was handed over and not confirmed is told again: once by each, as the same event.
  const tellings = (): readonly Told[][] =>
    TELLING.map((way) => toldSince(mark, way).filter(({ fact }) => fact === `raised ${dead}`));
  await eventually('what was begun has arrived, too', () =>
    tellings().every(({ length }) => length > 1),
  );
  t.deepEqual(
    tellings().map((all) => all.map(({ by }) => by).sort()),
    TELLING.map(() => [first, second]),
  );
  t.deepEqual(
    tellings().map((all) => new Set(all.map(({ id }) => id)).size),
    [1, 1, 1],
  );
  const alone = await begin(1);
  sinceMs = Date.now();
  await fault(lab(), 'kill-haproxy', 'off', nodeAt(lab(), 1));
  await soon(alone, sinceMs, {
    told: [`over ${dead}`],
    looks: alert('haproxy-down', { at, gone: true }),
    asking: 1,
  });
  await fault(lab(), 'kill-agent', 'off', nodeAt(lab(), 0));
  await eventually('it is heard again', () =>
    lines(seen().metrics(1), metric('peer_heard', first, '1')),
  );
  await soon(alone, Date.now(), {
    told: [`over ${away}`],
    looks: [...alert('not-heard', { gone: true }), ...alert('haproxy-down', { gone: true })],
  });
  await asAtFirst(lab());
  // Told after everything that was before: whoever is to repeat something has done it by then.
  t.is(await exitOf(lab(), 'pause'), 0);
  t.is(await exitOf(lab(), 'resume'), 0);
  await soon(alone, Date.now(), { told: [`pause ${first}`, `resume ${first}`], looks: [] });
  t.deepEqual(await twice(alone), []);
});
