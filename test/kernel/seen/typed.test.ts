import test from 'ava';
import { fixture } from '../../fixture.ts';
import { bareHost, Shell } from './shell.ts';

// What was typed on a real 12.1 with what it printed, typed again here: e4 and e14.

interface Typed {
  readonly command: string;
  readonly text: string;
  readonly code: number;
}

/** "$ COMMAND", what it printed, "   [rc=N]". */
function typedIn(name: string): Typed[] {
  return fixture(`freebsd-12.1/traces/${name}.txt`)
    .split(/^\$ /m)
    .slice(1)
    .map((block) => {
      const [, command = '', text = '', code] =
        /^([^\n]*)\n([\s\S]*?) {3}\[rc=(\d+)\]\n?$/.exec(block) ?? [];
      return { command, text, code: Number(code) };
    });
}

/** The kernel's clock is left out. */
const timeless = (text: string): string => text.replaceAll(/^\[\d+\] /gm, '');

/** Commands that are none of CARP's, or print what is not simulated; each with its reason. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  'netstat -s -p carp --libxo json | head -c 900': 'the agent does not ask for JSON',
  kldstat: 'sizes and addresses of modules',
};

function retyped(t: { deepEqual(a: unknown, b: unknown): void }, shell: Shell, name: string) {
  const waits: Readonly<Record<string, number>> = {
    // It had become MASTER meanwhile.
    'ifconfig vtnet1 | grep -E "carp|200"': 3600,
  };
  const seen = typedIn(name).filter(({ command }) => !(command in LEFT_OUT));
  t.deepEqual(
    seen.map(({ command }) => {
      shell.wait(waits[command] ?? 0);
      const { text, code } = shell.run(command);
      return { command, text, code };
    }),
    seen.map((one) => ({ ...one, text: timeless(one.text) })),
  );
  return seen.length;
}

test('e4: bad arguments, other users, odd values, addresses taken away: word for word, log and all', (t) => {
  const shell = new Shell(bareHost(1));
  shell.run('ifconfig vtnet1 vhid 1 advskew 0 pass secret alias 10.1.60.200/32');
  shell.run('ifconfig vtnet1 inet 10.1.60.201/32 vhid 1 alias');
  shell.wait(3000);
  shell.log = [];
  shell.run('ifconfig vtnet1 inet 10.1.60.201 -alias');
  t.is(retyped(t, shell, 'e4'), 40);
});

test('e14: the module that is not loaded, loaded, and cannot be unloaded', (t) => {
  const shell = new Shell({ ...bareHost(1), module: false });
  t.is(retyped(t, shell, 'e14'), 20);
});
