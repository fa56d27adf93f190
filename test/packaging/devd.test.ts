import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { TREE } from './clones.ts';

// sh of FreeBSD knows $'...'; dash does not.
const BASH = '/bin/bash';
const withBash = existsSync(BASH) ? test : test.skip;

/** As config::shell_quote() and expand_one() of sbin/devd/devd.cc, 12.0 and later. */
const expanded = (action: string, variables: Readonly<Record<string, string>>): string =>
  action.replaceAll(
    /\$(\w+)/g,
    (_whole, name: string) => `$'${(variables[name] ?? '').replaceAll(/['\\]/g, '\\$&')}'`,
  );

withBash('the action of devd.conf logs the vhid and its state, run as devd runs it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-devd-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const logger = join(folder, 'logger');
  writeFileSync(logger, '#!/bin/sh\nprintf "<%s>" "$@"\n', { mode: 0o755 });
  const text = readFileSync(join(TREE, 'packaging/devd.conf'), 'utf8');
  const actions = [...text.matchAll(/^\s*action "([^"]*)";$/gm)].map(([, action = '']) => action);
  const logged = actions.map((action) => {
    const variables = { subsystem: '1@vtnet1', type: 'MASTER' };
    const command = expanded(action, variables).replace('/usr/bin/logger', logger);
    return spawnSync(BASH, ['-c', command], { encoding: 'utf8' }).stdout;
  });
  t.deepEqual(logged, ['<-p><daemon.notice><-t><carp><1@vtnet1><is><MASTER>']);
});
