import type { Command } from 'commander';
import type { Certificates } from '../../agent/core/answers.ts';
import { certificateFindings } from '../../agent/core/certs/certificates.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { answerText, AGENT_AND_HAPROXY, askedRow } from '../json/answer.ts';
import { certificateListResult } from '../json/certificates.ts';
import { common, type Finish } from '../options.ts';
import { certificateBlocks, findingLines } from '../render/certificates.ts';
import { reading, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';

/** `proxyctl cert show`. */
export function addCertShow(cert: Command, io: Streams, finish: Finish): void {
  common(
    cert
      .command('show <NAME>')
      .summary('one certificate: names, issuer, versions on every node')
      .description(
        'Shows one certificate of every node: its names, who issued it, when it ends, and its versions on disk, in memory and at the clients. NAME is as HAProxy names it, or a DNS name it covers.',
      ),
  ).action(async (name: string, options: CommonOptions) =>
    finish(
      await reading(
        'cert show',
        options,
        io,
        async (agent) => only(await agent.certificates(true), name),
        (found, told) => {
          const wallMs = Date.now();
          const at = { wallMs, alarmDays: [], endMs: Date.parse };
          const findings = certificateFindings(found, at);
          if (options.output === 'json')
            io.out(
              answerText(
                'cert show',
                found.node,
                told,
                certificateListResult(found, findings, wallMs),
                found.nodes.map((one) => askedRow(one, 'not_asked', AGENT_AND_HAPROXY)),
              ),
            );
          else {
            io.out(`${certificateBlocks(found, wallMs)}\n`);
            for (const line of findingLines(found, findings)) io.out(`${line}\n`);
          }
          return 0;
        },
      ),
    ),
  );
}

/** Throws ActFailure 'not-found' with the names there are. */
function only(all: Certificates, name: string): Certificates {
  const every = all.nodes.flatMap(({ certificates }) => certificates);
  const exact = every.some((one) => one.name === name || one.path === name);
  const lower = name.toLowerCase();
  const chosen = new Set(
    every
      .filter((one) =>
        exact
          ? one.name === name || one.path === name
          : one.names.some((each) => each.toLowerCase() === lower),
      )
      .map((one) => one.name),
  );
  if (chosen.size === 0) {
    const names = [...new Set(every.map((one) => one.name))];
    throw new ActFailure('not-found', {
      code: 'not_found',
      message: `no node has a certificate ${name}`,
      remediation: names.length === 0 ? '' : `there are ${names.slice(0, 20).join(', ')}`,
    });
  }
  return {
    ...all,
    nodes: all.nodes.map((node) => ({
      ...node,
      certificates: node.certificates.filter((one) => chosen.has(one.name)),
    })),
    intents: all.intents.filter(({ key }) => [...chosen].some((one) => key.endsWith(`/${one}`))),
  };
}
