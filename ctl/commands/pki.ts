import { join } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Role } from '../../agent/core/acts.ts';
import { usage } from '../failure.ts';
import { readIfThere } from '../files.ts';
import { publishedResult, type RevokedJson } from '../json/pki.ts';
import { common, type Finish } from '../options.ts';
import { acting, type CommonOptions } from '../session.ts';
import type { SetupEnd } from '../setup/main.ts';
import type { Streams } from '../streams.ts';
import { offline, printing } from './offline.ts';

interface PkiOptions {
  readonly output: 'table' | 'json';
  readonly dir: string;
}
interface IssueOptions extends PkiOptions {
  readonly role?: Role;
  readonly days?: number;
  readonly newKey?: boolean;
  readonly passphrase?: boolean;
  readonly out?: string;
}
interface RenewOptions extends PkiOptions {
  readonly all?: boolean;
  readonly keepKey?: boolean;
  readonly days?: number;
  readonly kind?: string;
  readonly out?: string;
}
interface EnrollOptions {
  readonly output: 'table' | 'json';
  readonly pair: string;
  readonly out: string;
  readonly passphrase?: boolean;
}
interface ApproveOptions extends PkiOptions {
  readonly token: string;
  readonly role?: Role;
  readonly days?: number;
  readonly out?: string;
}
interface RevokeOptions extends CommonOptions {
  readonly dir: string;
  readonly kind?: string;
  readonly offline?: boolean;
}
interface RotateOptions extends PkiOptions {
  readonly cut?: boolean;
}

/** `proxyctl pki`: all but `publish`, and the second half of `revoke`, ask no agent. */
export function addPki(program: Command, io: Streams, finish: Finish): void {
  const pki = program.command('pki').description("the pair's own certificates").helpCommand(false);
  dir(
    pki
      .command('init')
      .description('make the CA of a pair, once')
      .requiredOption('--pair <NAME>', 'as `pair` in agent.toml'),
  ).action(async (options: PkiOptions & { readonly pair: string }) =>
    finish(
      await offline('pki init', options, io, async (own) => {
        const { pkiInit } = await import('../setup/verbs.ts');
        return done(await pkiInit(options.dir, options.pair, own, Date.now()));
      }),
    ),
  );
  dir(
    pki
      .command('issue <KIND> <NAME>')
      .description('a certificate for a node or an operator, or renew it')
      .addOption(
        new Option('--role <ROLE>', 'of an operator: viewer, operator or admin').choices([
          'viewer',
          'operator',
          'admin',
        ]),
      )
      .addOption(
        new Option('--days <DAYS>', 'how long it is good, 1 to 825; default: 397').argParser(days),
      )
      .option('--new-key', 'a new key too; without it a renewal keeps the key')
      .option('--passphrase', "an operator's key gets one, asked on the terminal")
      .option('--out <DIR>', 'copies there, with ca.pem, named as agent.toml has them'),
  ).action(async (kind: string, name: string, options: IssueOptions) =>
    finish(
      await offline('pki issue', options, io, async (own) => {
        const { pkiIssue } = await import('../setup/verbs.ts');
        return done(await pkiIssue(kind, name, options, own, Date.now()));
      }),
    ),
  );
  dir(
    pki
      .command('renew [NAMES...]')
      .description('certificates anew, with new keys')
      .option('--all', 'of every node and operator')
      .option('--keep-key', 'the same key: a certificate that is copied alone still fits')
      .addOption(daysOption())
      .addOption(kindOption())
      .option('--out <DIR>', 'copies of one there, with ca.pem, named as agent.toml has them'),
  ).action(async (names: string[], options: RenewOptions) =>
    finish(
      await offline('pki renew', options, io, async (own) => {
        const { pkiRenew } = await import('../setup/verbs.ts');
        return done(await pkiRenew(names, options, own, Date.now()));
      }),
    ),
  );
  dir(pki.command('list').description('what was issued, and when it ends')).action(
    async (options: PkiOptions) =>
      finish(
        await offline('pki list', options, io, async (own) => {
          const { pkiList } = await import('../setup/verbs.ts');
          return done(pkiList(options.dir, own, Date.now()), false);
        }),
      ),
  );
  addEnrolling(pki, io, finish);
  addEnding(pki, io, finish);
}

const done = (result: object, changed = true): SetupEnd => ({ code: 0, changed, result });
const dir = (command: Command): Command =>
  printing(command.option('--dir <DIR>', 'where the CA is kept; default: pki', 'pki'));
const daysOption = (): Option =>
  new Option('--days <DAYS>', 'how long it is good, 1 to 825; default: 397').argParser(days);
const roleOption = (): Option =>
  new Option('--role <ROLE>', 'of an operator: viewer, operator or admin').choices([
    'viewer',
    'operator',
    'admin',
  ]);
const kindOption = (): Option =>
  new Option('--kind <KIND>', 'where both are called so: node or operator').choices([
    'node',
    'operator',
  ]);

/** Keys that are born where they are used. */
function addEnrolling(pki: Command, io: Streams, finish: Finish): void {
  printing(
    pki
      .command('enroll <KIND> <NAME>')
      .description('where it will be used: a key, and a request for its certificate')
      .requiredOption('--pair <NAME>', 'as `pair` in agent.toml')
      .option('--out <DIR>', 'where key and request are written; default: here', '.')
      .option('--passphrase', "an operator's key gets one, asked on the terminal"),
  ).action(async (kind: string, name: string, options: EnrollOptions) =>
    finish(
      await offline('pki enroll', options, io, async (own) => {
        const { pkiEnroll } = await import('../setup/verbs.ts');
        return done(await pkiEnroll(kind, name, options, own));
      }),
    ),
  );
  dir(
    pki
      .command('approve <REQUEST>')
      .description('where the CA is: the certificate for a request, once')
      .requiredOption('--token <TOKEN>', 'as pki enroll printed it, said by another way')
      .addOption(roleOption())
      .addOption(daysOption())
      .option('--out <DIR>', 'copies there, with ca.pem, named as agent.toml has them'),
  ).action(async (request: string, options: ApproveOptions) =>
    finish(
      await offline('pki approve', options, io, async (own) => {
        const { pkiApprove } = await import('../setup/verbs.ts');
        return done(await pkiApprove(request, options, own, Date.now()));
      }),
    ),
  );
}

/** What ends an identity, or all that a CA vouched for. */
function addEnding(pki: Command, io: Streams, finish: Finish): void {
  common(
    pki
      .command('revoke <NAME>')
      .description('every certificate of a name is out, on every node at once')
      .option('--dir <DIR>', 'where the CA is kept; default: pki', 'pki')
      .addOption(kindOption())
      .option('--offline', 'write crl.pem only; pki publish sends it'),
  ).action(async (name: string, options: RevokeOptions) => {
    let written: { readonly list: string; readonly result: RevokedJson } | null = null;
    const code = await offline('pki revoke', { output: 'table' }, io, async (own) => {
      const { pkiRevoke } = await import('../setup/verbs.ts');
      written = await pkiRevoke(name, options, own, Date.now());
      return done(written.result);
    });
    if (written === null) return finish(code);
    const { list, result } = written as { readonly list: string; readonly result: RevokedJson };
    if (options.offline === true) {
      const told = { ...options, dir: options.dir };
      return finish(await offline('pki revoke', told, io, () => Promise.resolve(done(result))));
    }
    finish(await publish('pki revoke', list, options, io, result));
  });
  common(
    pki
      .command('publish [FILE]')
      .description("a CA's revocation list to every node")
      .option('--dir <DIR>', 'without FILE: crl.pem there; default: pki', 'pki'),
  ).action(async (given: string | undefined, options: RevokeOptions) => {
    const file = given ?? join(options.dir, 'crl.pem');
    let list: string | null = null;
    const code = await offline('pki publish', { output: options.output }, silent(io), () => {
      list = readIfThere(file);
      if (list === null) throw usage(`there is no ${file}`, 'pki revoke NAME writes it');
      return Promise.resolve(done({}));
    });
    if (list === null) return finish(code);
    finish(await publish('pki publish', list, options, io, publishedResult(file)));
  });
  dir(
    pki
      .command('rotate-ca <STEP>')
      .description('another CA, without a failed call: begin, issue, finish')
      .option('--cut', 'finish although somebody has a certificate of the old CA only'),
  ).action(async (step: string, options: RotateOptions) =>
    finish(
      await offline('pki rotate-ca', options, io, async (own) => {
        const { pkiRotate } = await import('../setup/verbs.ts');
        return done(await pkiRotate(step, options, own, Date.now()));
      }),
    ),
  );
}

/** Sends a list to the agent of the context, which brings it to every node. */
const publish = (
  verb: string,
  list: string,
  options: RevokeOptions,
  io: Streams,
  result: object,
): Promise<number> =>
  acting(
    verb,
    { ...options, reason: '', dryRun: false, acceptRisk: [] },
    io,
    (agent, header, report) => agent.publishRevocations({ header, list }, report),
    {
      table: () => '',
      result: () => result,
      afterwards: ({ changed, nodes }) =>
        changed ? `in force on ${nodes.map(({ node }) => node).join(', ')}` : 'already in force',
      withStatus: false,
    },
  );

const silent = (io: Streams): Streams => ({ ...io, out: () => undefined });

function days(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 825) return value;
  throw new InvalidArgumentError('A whole number from 1 to 825.');
}
