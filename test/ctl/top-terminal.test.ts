import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { ServersAct } from '../../agent/core/acts.ts';
import type { ControlVerbs } from '../../agent/core/verbs.ts';
import { serverReading } from '../core/builders.ts';
import { eventually } from '../record.ts';
import { emptyResult } from '../rpc/world.ts';
import { desk, overTls, PROXYCTL } from './command.ts';
import { statusOf } from './statuses.ts';

/** script(1) of util-linux gives a child a terminal of its own. */
const hasScript = (() => {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux');
  } catch {
    return false;
  }
})();
const onTerminal = hasScript ? test : test.skip;

const ENTER = '\u001B[?1049h\u001B[?25l';
/** The end of a screen whose last line was cut. */
const CUT_FOOT = '~\u001B[K\u001B[J';
const LEAVE = '\u001B[?25h\u001B[?1049l';

const verbs = (more: Partial<ControlVerbs> = {}): Partial<ControlVerbs> => ({
  status: () => Promise.resolve(statusOf()),
  servers: () =>
    Promise.resolve({
      node: 'haproxy01',
      nodes: ['haproxy01', 'haproxy02'].map((node) => ({
        node,
        problem: '',
        servers: [serverReading(), serverReading({ name: 'web2' })],
      })),
      intents: [],
    }),
  ...more,
});

/** `proxyctl top` on a terminal of 80 by 24, then its exit code and the terminal's settings. */
async function top(
  t: ExecutionContext,
  more: Partial<ControlVerbs> = {},
  context?: Parameters<typeof desk>[2],
) {
  const { config, server } = await desk(t, verbs(more), context);
  const command = `sh -c 'echo pid $$; exec "${process.execPath}" "${PROXYCTL}" top'`;
  const child: ChildProcess = spawn(
    'script',
    ['-qec', `stty cols 80 rows 24; ${command}; echo code $?; stty -a`, '/dev/null'],
    {
      env: { ...process.env, PROXYCTL_CONFIG: config, SHELL: '/bin/sh' },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  t.teardown(() => child.kill('SIGKILL'));
  let said = '';
  let forgotten = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = once(child, 'close');
  return {
    server,
    pid: () => Number(/pid (\d+)/.exec(forgotten + said)?.[1] ?? 0),
    until: (text: string) => eventually(() => said.includes(text)),
    type: (keys: string) => void child.stdin?.write(keys),
    forget() {
      forgotten += said;
      said = '';
    },
    said: () => said,
    /** What it left behind: exit code, whether the screen was given back, and canonical input with echo. */
    async end() {
      await ended;
      const after = said.slice(said.lastIndexOf(LEAVE));
      return {
        code: Number(/code (\d+)/.exec(after)?.[1] ?? -1),
        left: after.startsWith(LEAVE) && !after.includes(ENTER),
        settings: ['icanon', 'echo', 'isig'].filter((one) =>
          new RegExp(`(^|\\s)${one}\\b`, 'm').test(after),
        ),
      };
    },
  };
}

const WELL = { left: true, settings: ['icanon', 'echo', 'isig'] };

onTerminal(
  'keys sort, filter and choose; q gives the terminal back as it was, exit 0',
  async (t) => {
    const terminal = await top(t);
    await terminal.until('1-2 of 2');
    t.true(terminal.said().includes(ENTER));
    t.true(terminal.said().includes('WEB/web2'));
    terminal.type('\t');
    await terminal.until('CHECK');
    terminal.type('/eb2\r');
    await terminal.until('1-1 of 1 with "eb2"');
    terminal.type('q');
    t.deepEqual(await terminal.end(), { code: 0, ...WELL });
  },
);

onTerminal('Ctrl-C quits, and so does SIGTERM, each with the terminal as it was', async (t) => {
  const interrupted = await top(t);
  await interrupted.until('1-2 of 2');
  interrupted.type('\u0003');
  t.deepEqual(await interrupted.end(), { code: 0, ...WELL });
  const terminated = await top(t);
  await terminated.until('1-2 of 2');
  process.kill(terminated.pid(), 'SIGTERM');
  t.deepEqual(await terminated.end(), { code: 130, ...WELL });
});

onTerminal('a window of another size gets a screen of that size', async (t) => {
  const terminal = await top(t);
  await terminal.until('1-2 of 2');
  terminal.forget();
  execFileSync('stty', ['-F', `/proc/${terminal.pid()}/fd/0`, 'cols', '50', 'rows', '12']);
  const screens = (): string[][] =>
    terminal
      .said()
      .split('\u001B[H')
      .filter((screen) => screen.includes(CUT_FOOT))
      .map((screen) => screen.replaceAll('\u001B[K', '').replaceAll('\u001B[J', '').split(/\r*\n/));
  // stty(1) sets columns and rows one after the other.
  await eventually(() => screens().some((lines) => lines.length === 12));
  const lines = screens().findLast(({ length }) => length === 12) ?? [];
  t.deepEqual(
    lines.filter((line) => stripVTControlCharacters(line).length > 49),
    [],
  );
  terminal.type('q');
  t.deepEqual(await terminal.end(), { code: 0, ...WELL });
});

onTerminal('a marked row is drained on every node once the question is answered', async (t) => {
  const asked: Partial<ServersAct>[] = [];
  const nodes = ['haproxy01', 'haproxy02'].map((node) => ({
    node,
    ok: true,
    changed: true,
    error: null,
  }));
  const terminal = await top(t, {
    setServers: ({ targets, state, wait }) => {
      asked.push({ targets, state, wait });
      return Promise.resolve({ ...emptyResult, outcome: 'reached', changed: true, nodes });
    },
  });
  await terminal.until('1-2 of 2');
  terminal.type('D');
  await terminal.until('mark a row first');
  terminal.type('\u001B[B\u001B[BM');
  await terminal.until(' WEB/web2 on every node');
  terminal.type('n');
  await terminal.until('nothing was changed');
  t.deepEqual(asked, []);
  terminal.type('Dy');
  await terminal.until(' WEB/web2: done on haproxy01, haproxy02');
  t.deepEqual(asked, [{ targets: ['WEB/web2'], state: 'drain', wait: null }]);
  terminal.type('q');
  t.deepEqual(await terminal.end(), { code: 0, ...WELL });
});

onTerminal('who may not act reads that, and why, in place', async (t) => {
  const terminal = await top(t, {}, overTls('viewer'));
  await terminal.until('1-2 of 2');
  terminal.type('\u001B[BDy');
  await terminal.until('needs the role operator; anna has viewer');
  terminal.type('q');
  t.deepEqual(await terminal.end(), { code: 0, ...WELL });
});

onTerminal('q while something is being done ends once it is', async (t) => {
  let finish = (): void => undefined;
  const held = new Promise<void>((resolve) => (finish = resolve));
  const terminal = await top(t, {
    async setServers() {
      await held;
      return { ...emptyResult, outcome: 'reached', changed: true };
    },
  });
  await terminal.until('1-2 of 2');
  terminal.type('\u001B[BRy');
  await terminal.until('is under way');
  terminal.type('q');
  await terminal.until('ending once');
  finish();
  t.deepEqual(await terminal.end(), { code: 0, ...WELL });
});

onTerminal('an agent that goes away leaves the last picture, marked as old', async (t) => {
  const terminal = await top(t);
  await terminal.until('1-2 of 2');
  await terminal.server.close(0);
  await terminal.until('OLD:');
  terminal.type('q');
  t.deepEqual(await terminal.end(), { code: 0, ...WELL });
});

test('without a terminal, or for JSON: exit 2 and what to use', async (t) => {
  const { run } = await desk(t, verbs());
  t.deepEqual(await run(['top']), {
    code: 2,
    stdout: '',
    stderr: `proxyctl: top needs a terminal
  cause   standard input or output is none
  do      proxyctl servers --watch, with -o json for programs
`,
  });
  t.is((await run(['top', '-o', 'json'])).code, 2);
});
