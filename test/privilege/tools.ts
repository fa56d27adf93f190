import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { startHelper, type HelperOptions } from '../../agent/privilege/helper.ts';
import { prints, scriptedTools } from '../carp/tools.ts';
import { writeBaseTools } from '../kernel/base-tools.ts';

export const SCRIPT = fileURLToPath(new URL('../../../agent/privilege/helper.sh', import.meta.url));

const DEPLOY = join(SCRIPT, '../deploy.sh');

/** As 14.x prints one interface; the description says what no parser may believe. */
export const INTERFACE = `vtnet0: flags=1008943<UP,BROADCAST> metric 0 mtu 1500
	description: carp: MASTER vhid 9 advbase 1 advskew 0
	inet 10.1.60.200 netmask 0xffffffff broadcast 10.1.60.200 vhid 1
	carp: MASTER vhid 1 advbase 1 advskew 0
	      peer 224.0.0.18 peer6 ff02::12
	carp: BACKUP vhid 12 advbase 1 advskew 100
	      peer 10.1.60.202 peer6 fe80::2%vtnet0
	vrrp: BACKUP vrid 3 prio 100 interval 100
	status: active
`;

/** helper.sh in FOLDER, where timeout and head behave as FreeBSD's; `edited` is its text. */
function scriptIn(folder: string, edited: (text: string) => string): string {
  const base = join(folder, 'base');
  writeBaseTools(base);
  const script = join(folder, 'helper.sh');
  const text = readFileSync(SCRIPT, 'utf8').replace(/^PATH=/m, `PATH=${base}:`);
  writeFileSync(script, edited(text));
  writeFileSync(join(folder, 'deploy.sh'), edited(readFileSync(DEPLOY, 'utf8')));
  return script;
}

/** A helper with real children in FreeBSD's place, in a directory with certificates. */
export async function scriptedHelper(
  t: ExecutionContext,
  options: Partial<HelperOptions> = {},
  edited = (text: string): string => text,
  /** Makes what has to be in the folder before, and more of what it is started with. */
  before: (folder: string) => Partial<HelperOptions> = () => ({}),
) {
  const scripted = scriptedTools(t, { ifconfig: prints(INTERFACE) });
  const folder = realpathSync(scripted.folder);
  const certs = join(folder, 'certs');
  mkdirSync(certs);
  const pfctl = join(folder, 'pfctl');
  writeFileSync(pfctl, '#!/bin/sh\necho "pass quick proto carp all keep state"\n', { mode: 0o755 });
  const started: HelperOptions = {
    ifconfig: scripted.tools.ifconfig,
    sysctl: scripted.tools.sysctl,
    pfctl,
    ngctl: scripted.tools.ngctl,
    directories: [certs],
    lists: [],
    named: [],
    check: [],
    reload: [],
    deploy: null,
    ...options,
    ...before(folder),
  };
  const script = scriptIn(folder, edited);
  const helper = await startHelper(started, script);
  t.teardown(() => helper.close());
  const ask = (...words: string[]): Promise<readonly string[]> => helper.ask(words, 10_000);
  return {
    ...scripted,
    helper,
    /** To start another one in its place. */
    options: started,
    folder,
    certs,
    ask,
    /** What it answers, in a word or a sentence. */
    answer: (...words: string[]): Promise<string> =>
      ask(...words).then(
        () => 'ok',
        (error: unknown) => (error instanceof Error ? error.message : '').replace(/^.*?: /, ''),
      ),
    log: (): string => readFileSync(join(scripted.folder, 'calls'), 'utf8'),
  };
}
