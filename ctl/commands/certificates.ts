import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { certificateFindings } from '../../agent/core/certs/certificates.ts';
import { sentence } from '../../agent/core/words.ts';
import { certificateListResult, certificatesResult } from '../json/certificates.ts';
import { AGENT_AND_HAPROXY, askedRow } from '../json/answer.ts';
import { envelopeText } from '../json/envelope.ts';
import { usage } from '../failure.ts';
import { changing, common, type Finish } from '../options.ts';
import { certificatesTable } from '../render/acts.ts';
import { certificateScreen, findingLines } from '../render/certificates.ts';
import { acting, reading, type ActOptions, type CommonOptions, type Screens } from '../session.ts';
import { addCertShow } from './cert-show.ts';
import type { Streams } from '../streams.ts';

interface PushOptions extends ActOptions {
  readonly as: readonly string[];
  readonly key?: string;
  readonly chain?: string;
  readonly into?: string;
  readonly sni: readonly string[];
}

const SCREENS: Screens = {
  table: (result) => (result.certificates.length === 0 ? '' : certificatesTable(result)),
  result: certificatesResult,
  afterwards: () => '',
  withStatus: false,
};

/** `proxyctl cert push|rollback|list|show|verify`. */
export function addCertificates(program: Command, io: Streams, finish: Finish): void {
  const cert = program.command('cert').description('certificates of the pair').helpCommand(false);
  changing(
    cert
      .command('push <FILE...>')
      .description('PEM bundles: certificate, chain, key; - is stdin; all or none')
      .option(
        '--as <PATH>',
        'as HAProxy names it, once for each FILE; default: the one with the same names',
        (path: string, before: readonly string[]) => [...before, path],
        [] as readonly string[],
      )
      .option('--key <FILE>', 'the private key, where FILE has only certificates')
      .option('--chain <FILE>', 'the chain, where FILE has only the leaf')
      .option('--into <LIST>', 'a new certificate: adds FILE to this crt-list of HAProxy')
      .option(
        '--sni <FILTER>',
        'with --into: serve it for NAME, or not for !NAME; may be repeated',
        (filter: string, before: readonly string[]) => [...before, filter],
        [] as readonly string[],
      ),
  ).action(async (files: string[], options: PushOptions) => {
    // Before any agent is asked: a mistake here is exit 2 whether one answers or not.
    const bundles = bundlesOf(files, options);
    finish(
      await acting(
        'cert push',
        options,
        io,
        (agent, header, report) => agent.pushCertificate({ header, bundles }, report),
        SCREENS,
      ),
    );
  });
  changing(
    cert
      .command('rollback <PATH...>')
      .description('the bundle before the last push, on every node'),
  ).action(async (paths: string[], options: ActOptions) =>
    finish(
      await acting(
        'cert rollback',
        options,
        io,
        (agent, header, report) => agent.rollbackCertificates({ header, paths }, report),
        SCREENS,
      ),
    ),
  );
  looking(cert, io, finish, 'list', 'what every node has: disk, memory, clients');
  addCertShow(cert, io, finish);
  looking(cert, io, finish, 'verify', 'the same; exit 3 where anything differs or has ended');
}

/** list and verify differ in their exit code only. */
function looking(
  cert: Command,
  io: Streams,
  finish: Finish,
  verb: 'list' | 'verify',
  description: string,
): void {
  common(cert.command(verb).description(description)).action(async (options: CommonOptions) =>
    finish(
      await reading(
        `cert ${verb}`,
        options,
        io,
        (agent) => agent.certificates(true),
        (found, { requestId, tookMs }) => {
          const wallMs = Date.now();
          const at = { wallMs, alarmDays: [], endMs: Date.parse };
          const findings = certificateFindings(found, at);
          const away = found.nodes.filter(({ problem }) => problem !== '');
          const bad = findings.length > 0 || away.length > 0;
          if (options.output === 'json')
            io.out(
              envelopeText({
                verb: `cert ${verb}`,
                ok: verb === 'list' || !bad,
                changed: false,
                requestId,
                answeredBy: found.node,
                tookMs,
                result: certificateListResult(found, findings, wallMs),
                nodes: found.nodes.map((one) => askedRow(one, 'not_asked', AGENT_AND_HAPROXY)),
                error: null,
              }),
            );
          else {
            io.out(`${certificateScreen(found, wallMs)}\n`);
            for (const line of findingLines(found, findings)) io.out(`${line}\n`);
          }
          return verb === 'verify' && bad ? 3 : 0;
        },
      ),
    ),
  );
}

function bundlesOf(files: readonly string[], { as, key, chain, into, sni }: PushOptions) {
  const [only] = files;
  if ((key !== undefined || chain !== undefined) && files.length > 1)
    throw usage('--key and --chain belong to one FILE', 'push the others without them');
  if (into !== undefined && files.length > 1)
    throw usage('--into belongs to one FILE', 'add the others one after the other');
  if (into === undefined && sni.length > 0)
    throw usage('--sni is for a new certificate', 'name its crt-list: --into LIST');
  if (as.length > 0 && as.length !== files.length)
    throw usage(
      `${files.length} files and ${as.length} --as`,
      'give one --as for each FILE, in their order, or none',
    );
  const sources = [...files, key, chain].filter((file) => file === '-');
  if (sources.length > 1) throw usage('- is given twice', 'standard input can be read once');
  // Leaf, then chain, then key: the order in which HAProxy's manual has them.
  const more = [chain, key].flatMap((file) => (file === undefined ? [] : [read(file)]));
  if (as.includes(''))
    throw usage('--as is empty', 'give the path as HAProxy names it, or leave --as out');
  return files.map((file, at) => ({
    path: as[at] ?? null,
    pem: file === only ? [read(file), ...more].join('\n') : read(file),
    ...(into === undefined ? {} : { into: { list: into, filters: sni } }),
  }));
}

function read(file: string): string {
  const text = textOf(file);
  if (text.trim() === '')
    throw usage(
      `${file === '-' ? 'standard input' : file} is empty`,
      'name a PEM file, or - for standard input',
      'it has no certificate and no key',
    );
  return text;
}

function textOf(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw usage(
      `${file} cannot be read`,
      'name a PEM file, or - for standard input',
      sentence(error),
    );
  }
}
