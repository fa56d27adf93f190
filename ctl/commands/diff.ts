import { Argument, type Command } from 'commander';
import { certificateDifferences } from '../../agent/core/certs/certificate-diff.ts';
import { AGENT_AND_HAPROXY, askedRow } from '../json/answer.ts';
import { diffResult } from '../json/diff.ts';
import { envelopeText } from '../json/envelope.ts';
import { common, type Finish } from '../options.ts';
import { certificateDiffScreen } from '../render/diff.ts';
import { reading, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';

/** `proxyctl diff`. */
export function addDiff(program: Command, io: Streams, finish: Finish): void {
  common(
    program
      .command('diff')
      .summary('what is not the same on the nodes')
      .description(
        'What is not the same on the nodes: the fingerprint of each certificate on disk, in ' +
          'memory and as clients get it. Looks only. Exit 0 where nothing differs, 3 where ' +
          'something does or a node could not be compared.',
      )
      .addArgument(new Argument('[SUBJECT]', 'certificates').choices(['certificates'])),
  ).action(async (_subject: string | undefined, options: CommonOptions) =>
    finish(
      await reading(
        'diff',
        options,
        io,
        (agent) => agent.certificates(true),
        ({ node, nodes }, { requestId, tookMs }) => {
          const differences = certificateDifferences(nodes);
          const all = nodes.every(({ problem }) => problem === '');
          if (options.output === 'json')
            io.out(
              envelopeText({
                verb: 'diff',
                ok: all,
                changed: false,
                requestId,
                answeredBy: node,
                tookMs,
                result: diffResult(differences),
                nodes: nodes.map((one) => askedRow(one, 'not_asked', AGENT_AND_HAPROXY)),
                error: null,
              }),
            );
          else io.out(certificateDiffScreen(nodes, differences));
          return all && differences.length === 0 ? 0 : 3;
        },
      ),
    ),
  );
}
