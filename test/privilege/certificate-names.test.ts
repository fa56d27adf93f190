import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { certificateNames } from '../../agent/privilege/certificate-names.ts';
import { doubtOf } from '../../agent/privilege/doubt.ts';
import { byAccount, plainPath } from '../../agent/sys/trust.ts';
import { takenOver } from './hostile.ts';

const asRoot = process.getuid?.() === 0 ? test : test.skip;
const ps = (line: string) => (file: string) =>
  file === 'ps' ? Promise.resolve(line) : Promise.resolve('90\n');

asRoot(
  'folders, crt-lists and unusual names are those of files that root alone wrote',
  async (t) => {
    const { folder, account, certs, own } = await takenOver(t);
    const hers = own('hers');
    const mayWrite = byAccount({ uid: account.uid, groups: [account.gid] });
    const write = (path: string, text = ''): string => {
      writeFileSync(path, text);
      return path;
    };
    const list = write(join(certs, 'list.txt'), `${certs}/a.pem a.example\n${certs}/b b.example\n`);
    const planted = write(join(hers, 'list.txt'), `${folder}/secret/root.pem x.example\n`);
    const sites = join(folder, 'sites');
    mkdirSync(sites);
    for (const name of ['one.example', 'two.pem']) write(join(sites, name));
    const conf = `frontend web
  bind :443 ssl crt ${sites}/ crt-list ${list}
  bind :444 ssl crt-list ${planted}
`;
    const config = write(join(folder, 'haproxy.conf'), conf);
    const ask = (directories: readonly string[]) =>
      certificateNames(
        { haproxy: { config, socket: join(folder, 'none.sock') }, certificates: { directories } },
        { uid: account.uid, mayWrite },
        ps(''),
      );
    const files = { lists: [list], named: [join(sites, 'one.example'), join(certs, 'b')] };
    t.deepEqual(await ask([]), { directories: [`${sites}/.`, `${certs}/.`], ...files });
    t.deepEqual(await ask(['/etc/ssl']), { directories: ['/etc/ssl'], ...files });
    chownSync(config, account.uid, 0);
    t.deepEqual(await ask([]), { directories: [], lists: [], named: [] });
  },
);

asRoot(
  'a process in HAProxy’s place is believed only as HAProxy, with files of others',
  async (t) => {
    const { folder, account, own } = await takenOver(t);
    const mayWrite = byAccount({ uid: account.uid, groups: [account.gid] });
    const good = join(folder, 'good.cfg');
    writeFileSync(good, 'global\n  user haproxy\n');
    const evil = join(own('hers'), 'evil.cfg');
    writeFileSync(evil, 'global\n');
    const doubt = (line: string, file = good): Promise<string> =>
      doubtOf({ pid: 7, files: [file], exec: ps(line), uid: account.uid, mayWrite });
    const { uid } = account;
    t.deepEqual(
      [
        await doubt('  0  0 haproxy\n'),
        await doubt(' 90 90 haproxy\n'),
        await doubt(`${uid} ${uid} haproxy\n`),
        await doubt(`0 ${uid} haproxy\n`),
        await doubt('91 91 haproxy\n'),
        await doubt('0 0 tail\n'),
        await doubt(''),
        await doubt('0 0 /usr/local/sbin/haproxy\n', evil),
      ],
      [
        '',
        '',
        "process 7 is the agent's own user's",
        "process 7 is the agent's own user's",
        "process 7 is uid 91's, neither root's nor of its own configuration's user",
        'process 7 is tail, not haproxy',
        'process 7 is not there',
        `the agent's own user could write ${folder}/hers`,
      ],
    );
    chmodSync(good, 0o666);
    t.throws(() => plainPath(good, mayWrite), { message: good });
  },
);
