// Makes dist/bin from dist/ctl: proxyctl as one file, with V8's compiled form beside it.
// Reading hundreds of modules and compiling them is most of what a short command costs.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = join(root, 'dist/bin');
const options = {
  bundle: true,
  write: false,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
};
const hashed = (text) => createHash('sha256').update(text).digest('hex').slice(0, 16);
mkdirSync(bin, { recursive: true });

// setup and pki bring X.509 and a diff along, which no other verb is to read: a file of their own.
const APART = '../setup/verbs.js';
const [apart] = buildSync({
  ...options,
  entryPoints: [join(root, 'dist/ctl/setup/verbs.js')],
}).outputFiles;
const apartName = `proxyctl-setup.${hashed(apart.text)}.cjs`;
writeFileSync(join(bin, apartName), apart.text);
// The bundle runs in a vm script, where import() does not work: require it.
const { outputFiles } = buildSync({
  ...options,
  entryPoints: [join(root, 'dist/ctl/main.js')],
  external: [APART],
  supported: { 'dynamic-import': false },
});
const main = outputFiles[0].text.replace(/^#!.*/, '').replaceAll(`"${APART}"`, `"./${apartName}"`);
if (!main.includes(`"./${apartName}"`)) throw new Error(`${APART} is not asked for`);
const bundle = `(function (require) {${main}\n});`;
// The name binds the two files together: V8 checks a cache by its own version and the length of
// the source only. Another Node refuses the cache and compiles as usual.
const name = `proxyctl.${hashed(bundle)}`;
const start = (folder) => `'use strict';
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');
const file = ${folder} + '/${name}.js';
let cachedData;
try {
  cachedData = readFileSync(${folder} + '/${name}.cache');
} catch {}
const script = new Script(readFileSync(file, 'latin1'), { filename: file, cachedData });
script.runInThisContext()(require);
`;
writeFileSync(join(bin, `${name}.js`), bundle);
writeFileSync(join(bin, 'proxyctl.cjs'), `#!/usr/bin/env node\n${start('__dirname')}`);
chmodSync(join(bin, 'proxyctl.cjs'), 0o755);

// What has run once is in the cache: a status.
const { answering } = await import(join(root, 'dist/test/ctl/answering.js'));
const folder = mkdtempSync(join(tmpdir(), 'proxyctl-build-'));
const socket = join(folder, 'agent.sock');
const config = join(folder, 'config.toml');
writeFileSync(config, `[contexts.here]\nsocket = "${socket}"\n`);
const server = await answering(socket);
const save = `process.on('exit', () =>
  require('node:fs').writeFileSync(file.replace(/js$/, 'cache'), script.createCachedData()));`;
const warm = [
  '-e',
  `${start(JSON.stringify(bin))}${save}`,
  'proxyctl',
  'status',
  '--config',
  config,
];
const child = spawn(process.execPath, warm, { env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
const [code, said] = await Promise.all([
  once(child, 'close'),
  text(child.stderr),
  text(child.stdout),
]);
server.close();
rmSync(folder, { recursive: true, force: true });
if (code[0] !== 0) {
  console.error(`proxyctl does not start: ${said}`);
  process.exit(1);
}
