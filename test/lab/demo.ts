import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { newSite, sha1Of } from './certificates.ts';
import { proxyctl, served, startProbe, type Probe, type Probed } from './client.ts';
import { installedHaproxy, labDown, labMissing, labOrder, labUp, toolsMissing } from './lab.ts';
import type { LabReport } from './report.ts';

// npm run demo [-- --keep] [-- --name NAME]: the pair at work while a client keeps asking.
const { values } = parseArgs({
  options: {
    keep: { type: 'boolean', default: false },
    name: { type: 'string', default: 'pxdemo' },
  },
});
const { keep, name } = values;

/** One line of the table at the end. */
interface Row {
  readonly what: string;
  readonly probed: Probed | null;
  /** What did not hold; empty when all did. */
  readonly wrong: readonly string[];
}

/** Longest gaps that are still all right, ms: a move that was asked for, and one that was not. */
const MOVE_MS = 200;
const DEATH_MS = 300;
/**
 * A client on a busy machine gives up (500 ms) on connections that nobody
 * refused: this share of those says nothing about the pair.
 */
const BUSY = 0.03;
/** How many connections before and after each act belong to it: half a second. */
const AROUND = 100;

const rows: Row[] = [];
const say = (text = ''): void => void process.stdout.write(`${text}\n`);

const quoted = (word: string): string => (word.includes(' ') ? `'${word}'` : word);

/** Runs proxyctl as an operator would and shows what it prints. Resolves to what was wrong. */
async function shown(
  lab: LabReport,
  args: readonly string[],
  as = args.map(quoted).join(' '),
): Promise<string[]> {
  say(`$ proxyctl ${as}`);
  const { code, stdout, stderr } = await proxyctl(lab, args);
  say(stdout.trimEnd());
  if (code === 0) return [];
  say(stderr.trimEnd());
  return [`proxyctl ${as}: exit ${code}`];
}

interface Act {
  readonly what: string;
  readonly text: readonly string[];
  readonly kind?: 'plain' | 'tls';
  readonly limitMs: number;
  readonly failures: number;
  /** Resolves to what went wrong. */
  readonly perform: (probe: Probe) => Promise<readonly string[]>;
  /** What the client saw that it should not have. */
  readonly judge?: (probed: Probed) => readonly string[];
}

/** Does one thing with a client asking all the time, and keeps what the client saw. */
async function act(lab: LabReport, one: Act): Promise<void> {
  say(`\n${rows.length + 1}  ${one.what}`);
  for (const line of one.text) say(`   ${line}`);
  say();
  const wrong: string[] = [];
  let probed: Probed | null = null;
  let probe: Probe | null = null;
  try {
    probe = await startProbe(lab, one.kind ?? 'plain');
    await probe.more(AROUND);
    wrong.push(...(await one.perform(probe)));
    await probe.more(AROUND);
  } catch (error) {
    wrong.push(error instanceof Error ? error.message : String(error));
  }
  if (probe !== null) {
    probed = await probe.end();
    const { failed, failures, longest_gap_ms: gapMs, sent } = probed;
    const busy = Math.min(failures.timeout, Math.ceil(sent * BUSY));
    if (failed - busy > one.failures) wrong.push(`${failed} connections failed`);
    if (gapMs > one.limitMs) wrong.push(`nobody answered for ${gapMs} ms`);
    wrong.push(...(one.judge?.(probed) ?? []));
    say(`  client: ${sent} connections, ${failed} failed, longest gap ${gapMs} ms`);
  }
  for (const text of wrong) say(`  NOT AS IT SHOULD BE: ${text}`);
  rows.push({ what: one.what, probed, wrong });
}

async function acts(lab: LabReport): Promise<void> {
  const [first, second] = lab.nodes;
  if (first === undefined || second === undefined) throw new Error('the lab has no two nodes');
  const fault = (state: 'on' | 'off'): Promise<unknown> =>
    labOrder(name, { op: 'fault', fault: 'kill-haproxy', state, node: first.name });
  const move = (to: string): Act => ({
    what: `failover to ${to}`,
    text: [`The address is handed over; the client should not notice.`],
    limitMs: MOVE_MS,
    failures: 1,
    perform: async (probe) => {
      const wrong = await shown(lab, ['failover', '--to', to, '--reason', 'demo']);
      await probe.answeredBy(to, 20);
      return wrong;
    },
  });
  await act(lab, move(second.name));
  await act(lab, move(first.name));
  say();
  const unpinned = await shown(lab, ['failback']);
  for (const text of unpinned) rows.push({ what: 'failback', probed: null, wrong: [text] });
  await act(lab, {
    what: 'drain WEB/web1',
    text: ['web1 gets no new sessions, on both hosts at once; web2 and web3 go on.'],
    limitMs: MOVE_MS,
    failures: 0,
    perform: () => shown(lab, ['drain', 'WEB/web1', '--reason', 'kernel update']),
  });
  await act(lab, {
    what: 'web1 is drained',
    text: ['What clients get now, and what status says of it.'],
    limitMs: MOVE_MS,
    failures: 0,
    perform: () => shown(lab, ['status']),
    judge: ({ servers }) => (servers['WEB/web1'] === undefined ? [] : ['web1 was asked']),
  });
  await act(lab, {
    what: 'ready WEB/web1',
    text: [],
    limitMs: MOVE_MS,
    failures: 0,
    perform: () => shown(lab, ['ready', 'WEB/web1']),
    judge: ({ servers }) => (servers['WEB/web1'] === undefined ? ['web1 was not asked'] : []),
  });
  const pem = await newSite(90);
  const file = join(lab.runtime, 'new.pem');
  writeFileSync(file, pem, { mode: 0o600 });
  await act(lab, {
    what: 'certificate swap',
    text: [
      'A new certificate on both hosts or on none, without a reload; the client',
      'asks over TLS.',
    ],
    kind: 'tls',
    limitMs: MOVE_MS,
    failures: 0,
    perform: async () => {
      const wrong = await shown(lab, ['cert', 'push', file], 'cert push new.pem');
      const seen = await Promise.all(lab.nodes.map(({ address4 }) => served(lab, address4)));
      const other = seen.filter((sha1) => sha1 !== sha1Of(pem));
      return other.length === 0 ? wrong : [...wrong, `${other.length} hosts serve another one`];
    },
  });
  await act(lab, {
    what: 'kill -9 of HAProxy',
    text: [`HAProxy on ${first.name}, the MASTER, dies; nobody says a word to the agents.`],
    limitMs: DEATH_MS,
    failures: DEATH_MS / 5,
    perform: async (probe) => {
      await fault('on');
      await probe.answeredBy(second.name, 20);
      return shown(lab, ['status']);
    },
  });
  await act(lab, {
    what: 'HAProxy is back',
    text: [`After a hold (1 s in the lab, 10 s by default) ${first.name} has the address again.`],
    limitMs: MOVE_MS,
    failures: 1,
    perform: async (probe) => {
      await fault('off');
      await probe.answeredBy(first.name, 20);
      return shown(lab, ['status']);
    },
  });
}

function summary(lab: LabReport): boolean {
  const nodes = lab.nodes.map((node) => node.name);
  const line = (what: string, cells: readonly string[], end: string): string =>
    `${what.padEnd(23)}${cells.map((cell) => cell.padStart(11)).join('')}  ${end}`.trimEnd();
  say('\nWhat the client saw, with 200 new connections a second (by: who answered)\n');
  say(line('WHAT WAS DONE', ['SENT', 'FAILED', 'GAP'].concat(nodes), ''));
  for (const { what, probed, wrong } of rows) {
    const numbers =
      probed === null
        ? ['-', '-', '-', ...nodes.map(() => '-')]
        : [probed.sent, probed.failed, `${probed.longest_gap_ms} ms`].concat(
            nodes.map((node) => probed.by[node] ?? 0),
          );
    say(line(what, numbers.map(String), wrong.length === 0 ? '' : '!'));
  }
  const bad = rows.filter(({ wrong }) => wrong.length > 0);
  say();
  for (const { what, wrong } of bad) say(`! ${what}: ${wrong.join('; ')}`);
  say(bad.length === 0 ? 'Everything held.' : `${bad.length} of ${rows.length} did not hold.`);
  return bad.length === 0;
}

const keptText = `
The lab stays up. To go on in this shell:
  eval "$(npm run -s lab -- env --name ${name})"
  proxyctl status
  npm run -s lab -- probe 10 --name ${name}
  npm run -s lab -- fault --help
To end it:
  npm run -s lab -- down --name ${name}`;

let ours = false;
let ending = false;

/** Takes the lab down, once, however we end. */
async function leave(code: number): Promise<void> {
  if (ending) return;
  ending = true;
  if (ours) await labDown(name);
  process.exit(code);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    process.stderr.write(`\ndemo: ${signal}, taking the lab down\n`);
    void leave(130);
  });

async function demo(): Promise<number> {
  const missing = labMissing();
  if (missing !== null) {
    say(`demo: ${missing}`);
    return toolsMissing() === null ? 0 : 1;
  }
  say('Two FreeBSD hosts as network namespaces of this machine: a CARP kernel that');
  say('speaks on a virtual switch, real HAProxy, and proxyagent on each.');
  const startedMs = performance.now();
  const haproxy = installedHaproxy();
  ours = !(await isUp());
  if (!ours) {
    say(`lab ${name} is up already; end it first: npm run -s lab -- down --name ${name}`);
    return 1;
  }
  const lab = await labUp({ name, freebsd: 14, preempt: false, haproxy, nodes: 2 }, !keep);
  const tookS = ((performance.now() - startedMs) / 1000).toFixed(1);
  const nodes = lab.nodes.map((node) => node.name).join(' and ');
  say(`The lab ${name} is up after ${tookS} s: ${nodes} share`);
  say(`${lab.vip4} and ${lab.vip6}.\n`);
  const wrong = await shown(lab, ['status', '--check'], 'status');
  for (const text of wrong) rows.push({ what: 'status', probed: null, wrong: [text] });
  await acts(lab);
  const held = summary(lab);
  if (!keep) {
    await labDown(name);
    say('The lab is down; nothing of it is left.');
  } else {
    ours = false;
    say(keptText);
  }
  return held ? 0 : 1;
}

const isUp = (): Promise<boolean> =>
  labOrder(name, { op: 'describe' }).then(
    () => true,
    () => false,
  );

try {
  await leave(await demo());
} catch (error) {
  if (!ending)
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  await leave(1);
}
