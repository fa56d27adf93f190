import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { sentence } from '../../agent/core/words.ts';
import { certificatesResult } from '../envelope.ts';
import { usage } from '../failure.ts';
import { changing, type Finish } from '../options.ts';
import { certificatesTable } from '../render/acts.ts';
import { acting, type ActOptions } from '../session.ts';
import type { Streams } from '../streams.ts';

interface PushOptions extends ActOptions {
  readonly as?: string;
}

/** `proxyctl cert push`. */
export function addCertificates(program: Command, io: Streams, finish: Finish): void {
  const cert = program.command('cert').description('certificates of the pair').helpCommand(false);
  changing(
    cert
      .command('push <FILE>')
      .description('a PEM bundle: certificate, chain, key; - is stdin')
      .option('--as <PATH>', 'as HAProxy names it; default: the one with the same names'),
  ).action(async (file: string, options: PushOptions) => {
    // Before any agent is asked: a mistake here is exit 2 whether one answers or not.
    const pem = read(file);
    finish(
      await acting(
        'cert push',
        options,
        io,
        (agent, header, report) =>
          agent.pushCertificate({ header, path: options.as ?? null, pem }, report),
        {
          table: (result) => (result.certificates.length === 0 ? '' : certificatesTable(result)),
          result: certificatesResult,
          afterwards: () => '',
          withStatus: false,
        },
      ),
    );
  });
}

function read(file: string): string {
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
