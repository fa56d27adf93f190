import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readInfo } from '../../agent/haproxy/info.ts';
import { runtime } from '../../agent/haproxy/runtime.ts';
import { installedHaproxy } from '../lab/lab.ts';
import { scriptedHelper } from './tools.ts';

const haproxy = installedHaproxy();
const withHaproxy = haproxy === '' ? test.skip : test;

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

function folderOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-reload-'));
  t.teardown(() => {
    const pidfile = join(folder, 'pid');
    const pid = existsSync(pidfile) ? Number(readFileSync(pidfile, 'utf8')) : 0;
    if (pid > 0 && isAlive(pid)) process.kill(pid, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

withHaproxy(
  'a reload leaves HAProxy running, answers when its command has ended, and again',
  async (t) => {
    const folder = folderOf(t);
    const [config, pidfile, socket] = ['haproxy.conf', 'pid', 'sock'].map((name) =>
      join(folder, name),
    );
    writeFileSync(
      config ?? '',
      `global\n\tstats socket ${socket} mode 600 level admin\ndefaults\n\ttimeout client 1s\n` +
        `\ttimeout connect 1s\n\ttimeout server 1s\n\tmode tcp\nfrontend x\n\tbind unix@${folder}/x\n`,
    );
    // As rc.d/haproxy: a daemon, with the old one's pid for -sf.
    const script = '"$0" -D -f "$1" -p "$2" $([ ! -e "$2" ] || echo -sf $(cat "$2"))';
    const { helper } = await scriptedHelper(t, {
      reload: ['/bin/sh', '-c', script, haproxy, config ?? '', pidfile ?? ''],
    });
    const ask = runtime(socket ?? '', { deadlineMs: 2000 });
    const pids: number[] = [];
    for (let reloads = 0; reloads < 2; reloads++) {
      t.deepEqual(await helper.ask(['reload'], 10_000), []);
      const { pid } = await readInfo(ask);
      t.is(pid, Number(readFileSync(pidfile ?? '', 'utf8')));
      pids.push(pid);
    }
    t.not(pids[0], pids[1]);
    t.true(isAlive(pids[1] ?? 0));
  },
);

test('a reload that does not end is not waited for any longer, said, and left alone', async (t) => {
  const folder = folderOf(t);
  const started = `echo begun; echo $$ >${join(folder, 'pid')}; exec sleep 600`;
  const { answer } = await scriptedHelper(t, { reload: ['/bin/sh', '-c', started] }, (text) =>
    text.replace(/^patience=30$/m, 'patience=1'),
  );
  const said = await answer('reload');
  t.is(said, 'failed: it still runs after 1 s and is not waited for\nbegun');
  const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
  t.is(await answer('advertise'), 'ok');
  t.true(isAlive(pid));
});
