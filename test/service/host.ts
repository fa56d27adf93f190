import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ran, type Ran } from '../lab/client.ts';
import { CHECKOUT } from '../lab/plan.ts';

/** A real rc.subr, where the environment names one. */
const { RC_SUBR } = process.env;

/** A host with rc.d/proxyagent in it: FreeBSD's paths are folders of the test's own. */
export interface ServiceHost {
  readonly folder: string;
  /** Sets rc.conf(5). */
  conf(text: string): void;
  /** `service proxyagent VERB`. */
  service(verb: string): Promise<Ran>;
  /** What rc.shutdown(8) does: reads the script in its own shell and says faststop. */
  shutdown(): Promise<Ran>;
  /** The pid in a file of /var/run; null: no such file. */
  pid(file: 'proxyagent.pid' | 'proxyagent.child.pid'): number | null;
  /** What of daemon(8) and the agent still runs is killed. */
  end(): void;
}

/**
 * Writes the host. `inside` gives the command line that runs one there: in the
 * network namespace of a host of the lab, say.
 */
export function serviceHost(
  folder: string,
  agentConfig: string,
  inside: (argv: readonly string[]) => readonly string[] = (argv) => argv,
): ServiceHost {
  const at = (path: string): string => join(folder, path);
  for (const path of ['etc/rc.d', 'bin', 'var/run', 'usr/local/libexec/proxyctl'])
    mkdirSync(at(path), { recursive: true });
  const program = (path: string, text: string): void => {
    writeFileSync(at(path), text);
    chmodSync(at(path), 0o755);
  };
  const moved = (text: string): string =>
    text
      .replaceAll(/(?<![a-z])\/etc\//g, at('etc/'))
      .replaceAll('/usr/sbin/daemon', at('bin/daemon'))
      .replaceAll('/usr/local/bin/node', process.execPath)
      .replaceAll('/usr/local/etc/proxyctl/agent.toml', agentConfig)
      .replaceAll('/usr/local/libexec', at('usr/local/libexec'))
      .replaceAll('/bin/ps -ww', at('bin/ps'))
      .replaceAll('/var/run/', at('var/run/'));
  const read = (path: string): string => readFileSync(path, 'utf8');
  program('etc/rc.d/proxyagent', moved(read(join(CHECKOUT, 'rc.d/proxyagent'))));
  writeFileSync(at('etc/rc.subr'), moved(read(RC_SUBR ?? join(CHECKOUT, 'test/service/rc.subr'))));
  const main = join(CHECKOUT, 'dist/agent/main.js');
  program('usr/local/libexec/proxyctl/proxyagent', `import('${main}');\n`);
  program(
    'bin/daemon',
    `#!/bin/sh\nexec ${process.execPath} ${join(CHECKOUT, 'dist/test/service/daemon.js')} "$@"\n`,
  );
  const jid = read(at('etc/rc.subr')).includes('-o jid=') ? '0' : '';
  // Programs of FreeBSD that a real rc.subr calls.
  // limits(1) of class daemon, whose core files have no limit in login.conf(5); what comes later wins.
  program(
    'bin/limits',
    `#!/bin/sh
shift 2
ulimit -c unlimited
while :; do
	case $1 in -c | -n) ulimit "$1" "$2" ;; *) break ;; esac
	shift 2
done
exec "$@"
`,
  );
  program('bin/kenv', '#!/bin/sh\nexit 1\n');
  program('bin/pwait', '#!/bin/sh\nwhile kill -0 "$1" 2>/dev/null; do sleep 0.1; done\n');
  // FreeBSD's ps(1) knows jails: everything here is in none.
  program(
    'bin/ps',
    `#!/bin/sh
case "$*" in
'-p '*' -o jid=') echo 0 ;;
*-p\\ *) /bin/ps -ww -o pid= -o args= -p "\${*##*-p }" | sed 's/^ *[0-9]*/& ${jid}/' ;;
esac
`,
  );
  const env = { ...process.env, PATH: `${at('bin')}:${process.env['PATH'] ?? ''}` };
  const script = at('etc/rc.d/proxyagent');
  const shutdown = `rc_shutdown=reboot; set faststop; . ${script}`;
  const pid: ServiceHost['pid'] = (file) => {
    try {
      return Number(read(at(`var/run/${file}`))) || null;
    } catch {
      return null;
    }
  };
  const conf = (text: string): void => writeFileSync(at('etc/rc.conf'), text);
  conf('proxyagent_enable="YES"\n');
  return {
    folder,
    conf,
    service: (verb) => ran(inside(['dash', script, verb]), env),
    shutdown: () => ran(inside(['dash', '-c', shutdown, 'rc.shutdown']), env),
    pid,
    end() {
      for (const file of ['proxyagent.pid', 'proxyagent.child.pid'] as const) {
        const running = pid(file);
        try {
          if (running !== null) process.kill(running, 'SIGKILL');
        } catch {
          // It has ended.
        }
        rmSync(at(`var/run/${file}`), { force: true });
      }
    },
  };
}
