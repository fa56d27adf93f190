import { InvalidArgumentError, type Command } from 'commander';
import { ActFailure } from '../../agent/core/results.ts';
import { usage } from '../failure.ts';
import { answerText } from '../json/answer.ts';
import { waitedResult } from '../json/wait.ts';
import { common, type Finish } from '../options.ts';
import { connect, reading, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';
import { conditionOf, type Condition } from '../wait/conditions.ts';
import { waitFor } from '../wait/wait.ts';

const TIMEOUT_MS = 60_000;

const MORE = `
Conditions:
  owner=NODE[,ADDRESS]        NODE alone is MASTER of every address, or of this
  serving[=NODE]              every node, or this one, is heard and serves
  drained=BACKEND[/SERVER]    out of service on every node, no session left
  version=CERT[@FINGERPRINT]  every node has, decided and serves the same, or
                              that whose SHA-1 begins so
  converged                   every node is heard and none is fenced, every
                              address is with its owner, every wish for a
                              server is in force

Examples:
  proxyctl wait --for=serving=haproxy02 --timeout 5m
  proxyctl wait --for=owner=haproxy02,1@wan --for=converged

Exit codes: 0 all of it holds, 124 it did not in time, 8 there is no such
node, address, server or certificate, 10 no agent was reached at first.`;

interface WaitOptions extends CommonOptions {
  readonly for: readonly Condition[];
}

/** `proxyctl wait`. */
export function addWait(program: Command, io: Streams, finish: Finish): void {
  common(
    program
      .command('wait')
      .summary('returns once what you name is so')
      .description(
        'Returns as soon as every condition holds, or with 124 after 60 s or --timeout. Looks only: twice a second, at certificates every two seconds. An agent that goes away meanwhile is dialled again.',
      )
      .option(
        '--for <CONDITION>',
        'what to wait for; may be repeated, then all of it',
        collected,
        [] as readonly Condition[],
      )
      .addHelpText('after', MORE),
  ).action(async (options: WaitOptions) => {
    const { for: conditions } = options;
    if (conditions.length === 0)
      throw usage(
        'wait needs to know for what',
        '--for=serving, --for=owner=NODE, --for=converged',
      );
    const json = options.output === 'json';
    const timeoutMs = options.timeout ?? TIMEOUT_MS;
    const show = json ? null : io.live;
    finish(
      await reading(
        'wait',
        options,
        io,
        async (agent) => {
          const heard = ([first = '']: readonly string[], ms: number): void =>
            show?.(`waiting, ${Math.floor(ms / 1000)} s: ${first}`.slice(0, 79));
          const dial = () => connect(options, () => undefined);
          try {
            return {
              node: agent.name,
              waitedMs: await waitFor(agent, { conditions, timeoutMs, dial, heard }),
            };
          } finally {
            show?.('');
          }
        },
        ({ node, waitedMs }, told) => {
          const names = conditions.map(({ text }) => text);
          if (json) io.out(answerText('wait', node, told, waitedResult(names, waitedMs)));
          else io.out(`${names.join(', ')}: so, after ${(waitedMs / 1000).toFixed(1)} s\n`);
          return 0;
        },
      ),
    );
  });
}

function collected(text: string, before: readonly Condition[]): Condition[] {
  try {
    return [...before, conditionOf(text)];
  } catch (error) {
    if (!(error instanceof ActFailure)) throw error;
    throw new InvalidArgumentError(`${error.message}; ${error.detail.remediation}`);
  }
}
