import { stripVTControlCharacters } from 'node:util';
import test from 'ava';
import { coloured, hasColour } from '../../ctl/render/colour.ts';
import { serverReading } from '../core/builders.ts';
import { desk, PROXYCTL } from './command.ts';
import { onTerminal, terminalMissing } from './terminal.ts';

const red = (text: string): string => `\u001B[31m${text}\u001B[39m`;
const yellow = (text: string): string => `\u001B[33m${text}\u001B[39m`;
const green = (text: string): string => `\u001B[32m${text}\u001B[39m`;

const PLAIN = `SERVER    STATE
WEB/web1  drain/DOWN
WEB/web2  UP
alert     haproxy02: the uplink-down test, download
haproxy01 MASTER, haproxy02 BACKUP
`;

test('states and the beginnings of notes have colour, parts of other words none, and every word stays', (t) => {
  t.is(
    coloured(PLAIN),
    `SERVER    STATE
WEB/web1  ${yellow('drain')}/${red('DOWN')}
WEB/web2  ${green('UP')}
${red('alert')}     haproxy02: the uplink-down test, download
haproxy01 ${green('MASTER')}, haproxy02 BACKUP
`,
  );
  t.is(stripVTControlCharacters(coloured(PLAIN)), PLAIN);
});

test('colour is for a terminal alone, and NO_COLOR or a dumb one has none', (t) => {
  t.deepEqual(
    [
      hasColour(true, { TERM: 'xterm' }),
      hasColour(true, { TERM: 'xterm', NO_COLOR: '' }),
      hasColour(true, { TERM: 'xterm', NO_COLOR: '1' }),
      hasColour(true, { TERM: 'dumb' }),
      hasColour(false, { TERM: 'xterm' }),
    ],
    [true, true, false, false, false],
  );
});

const onScreen = terminalMissing() ? test.skip : test;

onScreen('servers has colour on a terminal, none with NO_COLOR or into a pipe', async (t) => {
  const servers = [serverReading({ status: 'DOWN' })];
  const nodes = [{ node: 'haproxy01', problem: '', servers }];
  const answer = { node: 'haproxy01', nodes, intents: [] };
  const { config, world, run } = await desk(t, { servers: () => Promise.resolve(answer) });
  const screen = async (env: Readonly<Record<string, string>>): Promise<string> => {
    const argv = [process.execPath, PROXYCTL, 'servers'];
    return (await onTerminal(argv, world.folder, [], { PROXYCTL_CONFIG: config, ...env })).screen;
  };
  const { stdout } = await run(['servers']);
  t.false(stdout.includes('\u001B'));
  t.is(await screen({}), stdout.replace('DOWN', red('DOWN')));
  t.is(await screen({ NO_COLOR: '1' }), stdout);
});
