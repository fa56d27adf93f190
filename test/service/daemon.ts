import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

// A stand-in for FreeBSD's daemon(8): the options rc.d/proxyagent gives it, with its
// habits: the child is started again, SIGTERM is passed on, and the supervisor then
// ends at once without waiting for the child (usr.sbin/daemon/daemon.c, 13 and 14).
const argv = process.argv.slice(2);
const last = argv.findLastIndex((word) => word === '-p') + 2;
const flag = { type: 'boolean' } as const;
const text = { type: 'string', default: '' } as const;
const { values } = parseArgs({
  args: argv.slice(0, last),
  options: {
    'change-dir': { ...flag, short: 'c' },
    'close-fds': { ...flag, short: 'f' },
    syslog: { ...flag, short: 'S' },
    'syslog-tag': { ...text, short: 'T' },
    title: { ...text, short: 't' },
    'restart-delay': { ...text, short: 'R' },
    'supervisor-pidfile': { ...text, short: 'P' },
    'child-pidfile': { ...text, short: 'p' },
  },
});
const pidfiles = [values['supervisor-pidfile'], values['child-pidfile']] as const;
const [program = '', ...args] = argv.slice(last);

if (process.send === undefined) {
  // daemon(3): the caller has its prompt back once the pidfile is written.
  const main = process.argv[1] ?? '';
  const own = spawn(process.execPath, [main, ...argv], {
    detached: true,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  own.once('message', () => process.exit(0));
  own.once('exit', () => process.exit(1));
} else supervise();

function supervise(): void {
  let child: ChildProcess | null = null;
  const start = (): void => {
    child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    writeFileSync(pidfiles[1], String(child.pid));
    process.title = `daemon: ${values.title}[${child.pid}]`;
    // Where syslogd(8) would write it.
    for (const output of [child.stdout, child.stderr])
      output?.on('data', (said: Buffer) => appendFileSync(`${pidfiles[0]}.messages`, said));
    child.once('exit', () => setTimeout(start, Number(values['restart-delay']) * 1000));
  };
  process.once('SIGTERM', () => {
    child?.kill('SIGTERM');
    for (const file of pidfiles) rmSync(file, { force: true });
    process.exit(0);
  });
  start();
  writeFileSync(pidfiles[0], String(process.pid));
  process.send?.('up');
  process.disconnect();
}
