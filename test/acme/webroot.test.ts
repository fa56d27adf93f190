import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { challengeAnswers, challengeInFile } from '../../agent/acme/webroot.ts';
import { KEY_AUTH, TOKEN } from './tokens.ts';

const other = (letter: string): string => letter.repeat(43);

function webroot(t: ExecutionContext): { readonly root: string; readonly folder: string } {
  const root = mkdtempSync(join(tmpdir(), 'proxyctl-webroot-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, '.well-known/acme-challenge');
  mkdirSync(folder, { recursive: true });
  return { root, folder };
}

test('a file of the webroot counts where it holds the key authorization of its own name', async (t) => {
  const { root, folder } = webroot(t);
  writeFileSync(join(folder, TOKEN), `${KEY_AUTH}\n`);
  writeFileSync(join(folder, other('a')), KEY_AUTH);
  writeFileSync(join(folder, other('b')), `${other('b')}.${'x'.repeat(100_000)}`);
  writeFileSync(join(root, 'secret'), `${other('c')}.${other('x')}`);
  symlinkSync(join(root, 'secret'), join(folder, other('c')));
  mkdirSync(join(folder, other('d')));
  const tokens = [TOKEN, other('a'), other('b'), other('c'), other('d'), other('e'), '../secret'];
  const found = await Promise.all(tokens.map((token) => challengeInFile(root, token)));
  t.deepEqual(found, [KEY_AUTH, null, null, null, null, null, null]);
  t.is(await challengeInFile('', TOKEN), null);
});

test('presented, then the own webroot, then a peer that has it; without a webroot nobody is asked', async (t) => {
  const { root, folder } = webroot(t);
  writeFileSync(join(folder, TOKEN), KEY_AUTH);
  const asked: string[] = [];
  const [presented, away] = [other('p'), other('q')];
  const answer = (token: string): string => `${token}.${other('k')}`;
  const sources = {
    stored: (token: string) => (token === presented ? answer(token) : null),
    peers: [
      { findChallenge: () => Promise.reject(new Error('it is away')) },
      {
        findChallenge: (token: string) => {
          asked.push(token);
          return Promise.resolve(token === away ? answer(token) : token === 'x' ? 'evil' : '');
        },
      },
    ],
  };
  const answers = challengeAnswers({ ...sources, webroot: root });
  t.deepEqual(
    [
      await answers(presented),
      await answers(TOKEN),
      await answers(away),
      await answers(other('r')),
    ],
    [answer(presented), KEY_AUTH, answer(away), null],
  );
  t.deepEqual(asked, [away, other('r')]);
  const without = challengeAnswers({ ...sources, webroot: '' });
  t.deepEqual([await without(presented), await without(away)], [answer(presented), null]);
  t.deepEqual(asked, [away, other('r')]);
});

test('a flood of questions for unknown tokens does not become a flood of questions to the peer', async (t) => {
  const { root } = webroot(t);
  let asked = 0;
  const waiting: (() => void)[] = [];
  const findChallenge = (): Promise<string> => {
    asked++;
    return new Promise((resolve) => waiting.push(() => resolve('')));
  };
  const stored = (): null => null;
  const answers = challengeAnswers({ webroot: root, stored, peers: [{ findChallenge }] });
  const all = Promise.all(Array.from({ length: 100 }, () => answers(TOKEN)));
  const some = setInterval(() => {
    for (const end of waiting.splice(0)) end();
  }, 200);
  t.deepEqual([...new Set(await all)], [null]);
  clearInterval(some);
  t.true(asked >= 1 && asked <= 16, String(asked));
});
