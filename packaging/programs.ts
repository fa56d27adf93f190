import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** The two programs as files without imports of their own, and what went into them. */

export interface Programs {
  /** Everything the agent needs is read at its start: replacing the files does not disturb it. */
  readonly agent: string;
  /** Starts `agent` from beside it. */
  readonly agentStart: string;
  readonly ctl: string;
  /** The verbs setup and pki, which `ctl` reads as proxyctl-setup.cjs beside it when they are asked for. */
  readonly ctlSetup: string;
  /** Reads `ctl` as proxyctl.js beside it, and V8's cache of just that content where there is one. */
  readonly ctlStart: string;
  /** Run once at installation: leaves V8's cache of `ctl` beside it. */
  readonly ctlWarm: string;
  /** Folders of the npm packages that went into either, from the root, sorted. */
  readonly packages: readonly string[];
  /** The same of `ctl` and `ctlSetup` alone. */
  readonly ctlPackages: readonly string[];
}

/** FreeBSD's; a package has no say in PATH. */
const SHEBANG = '#!/usr/local/bin/node';

/**
 * The agent that `npm run build` made under `root`, in one file. Names stay readable unless it is
 * `minified`: the log of a crash shows them. Rejects when the tree is not built.
 */
export async function bundleAgent(
  root: string,
  minified = false,
): Promise<{ readonly text: string; readonly packages: readonly string[] }> {
  const agent = await build({
    absWorkingDir: root,
    entryPoints: ['dist/agent/main.js'],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    // main.ts awaits at its top level, which CommonJS cannot.
    format: 'esm',
    target: 'node20',
    minify: minified,
    legalComments: 'none',
    logLevel: 'warning',
    // grpc-js reads .proto files with it for channelz and ORCA, which are not used.
    external: ['@grpc/proto-loader'],
    banner: {
      js: [
        "import { createRequire as createRequireOf } from 'node:module';",
        "import { fileURLToPath as pathOfUrl } from 'node:url';",
        'const require = createRequireOf(import.meta.url);',
        'const __filename = pathOfUrl(import.meta.url);',
        "const __dirname = __filename.replace(/\\/[^/]*$/, '');",
      ].join('\n'),
    },
  });
  return { text: textOf(agent).replace(/^#!.*\n/, ''), packages: packagesOf([agent.metafile]) };
}

/** Bundles what `npm run build` made. Rejects when the tree is not built. */
export async function bundlePrograms(root: string): Promise<Programs> {
  const agent = await bundleAgent(root);
  const ctl = await build({
    absWorkingDir: root,
    entryPoints: ['dist/ctl/main.js'],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'warning',
  });
  const bin = join(root, 'dist/bin');
  const ctlFile = only(readdirSync(bin).filter((name) => /^proxyctl\.\w+\.js$/.test(name)));
  const setupFile = only(
    readdirSync(bin).filter((name) => /^proxyctl-setup\.\w+\.cjs$/.test(name)),
  );
  const ctlPackages = packagesOf([ctl.metafile]);
  const start = startOf(readFileSync(join(bin, 'proxyctl.cjs'), 'utf8'), ctlFile);
  return {
    agent: agent.text,
    agentStart: `${SHEBANG}\nimport('./proxyagent.mjs');\n`,
    ctl: renamed(readFileSync(join(bin, ctlFile), 'utf8'), setupFile, 'proxyctl-setup.cjs'),
    ctlSetup: readFileSync(join(bin, setupFile), 'utf8'),
    ctlStart: start,
    ctlWarm: warm(start, ctlFile),
    packages: [...new Set([...agent.packages, ...ctlPackages])].sort(),
    ctlPackages,
  };
}

/** Names that stay the same, so that an upgrade leaves no old file behind. */
function renamed(text: string, from: string, to: string): string {
  if (!text.includes(`/${from}`)) throw new Error(`${from} is not asked for: npm run build`);
  return text.replaceAll(`/${from}`, `/${to}`);
}

/**
 * The start file of dist/bin for the host's Node. The sum stays in the name of
 * the cache alone.
 */
function startOf(start: string, ctlFile: string): string {
  if (!start.startsWith('#!'))
    throw new Error('dist/bin/proxyctl.cjs is not what test/bundle.mjs writes: npm run build');
  return renamed(start.replace(/^#!.*/, SHEBANG), ctlFile, 'proxyctl.js');
}

/**
 * A cache of V8 is good for one Node on one kind of machine, so it is made
 * where it is used. What has run once is in it: a status, whether an agent
 * answers it or not.
 */
const warm = (start: string, ctlFile: string): string =>
  `${start}process.on('exit', () =>
  require('node:fs').writeFileSync(
    __dirname + '/${ctlFile.replace(/js$/, 'cache')}', script.createCachedData()));
`.replace(
    "'use strict';",
    "'use strict';\nprocess.argv.splice(2, Infinity, 'status', '--timeout', '1s');",
  );

const textOf = (result: { readonly outputFiles: readonly { readonly text: string }[] }): string =>
  only(result.outputFiles).text;

function only<T>(all: readonly T[]): T {
  const [first] = all;
  if (first === undefined || all.length > 1)
    throw new Error(`one file was expected, not ${all.length}: npm run build`);
  return first;
}

interface Meta {
  readonly inputs: Readonly<Record<string, unknown>>;
}

function packagesOf(metas: readonly Meta[]): string[] {
  const folders = metas
    .flatMap(({ inputs }) => Object.keys(inputs))
    .flatMap((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []);
  return [...new Set(folders)].sort();
}
