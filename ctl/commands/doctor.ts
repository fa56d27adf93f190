import type { Command } from 'commander';
import { AGENT, answerText, askedRow } from '../json/answer.ts';
import { doctorResult } from '../json/doctor.ts';
import { common, type Finish } from '../options.ts';
import { doctorScreen } from '../render/doctor.ts';
import { reading, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';

type DoctorOptions = CommonOptions & {
  readonly address: readonly string[];
  readonly node: readonly string[];
};

const collected = (text: string, before: readonly string[]): string[] => [...before, text];

/** `proxyctl doctor`. */
export function addDoctor(program: Command, io: Streams, finish: Finish): void {
  common(
    program
      .command('doctor')
      .summary('what is wrong on the nodes and between them')
      .description(
        'What is wrong on the nodes and between them, why it matters, and the line to change. ' +
          'Looks only. Exit 3 with findings (what could not be looked at is one), 0 without.',
      ),
  )
    .option(
      '--address <ID>',
      'only findings about this address (VHID@NETWORK or VHID)',
      collected,
      [],
    )
    .option('--node <NODE>', 'only findings about this node', collected, [])
    .action(async (options: DoctorOptions) =>
      finish(
        await reading(
          'doctor',
          options,
          io,
          (agent) =>
            counting(
              options.output === 'json' ? null : io.live,
              agent.doctor({ addresses: options.address, nodes: options.node }),
            ),
          (answer, told) => {
            if (options.output === 'json')
              io.out(
                answerText(
                  'doctor',
                  answer.node,
                  told,
                  doctorResult(answer),
                  answer.nodes.map((one) => askedRow(one, 'agent_unreachable', AGENT)),
                ),
              );
            else io.out(doctorScreen(answer));
            return answer.findings.length === 0 ? 0 : 3;
          },
        ),
      ),
    );
}

/** The agents watch CARP's counters so long: agent/inspect, at advbase 1. */
const USUAL_S = 5;

/** The seconds on a terminal until the answer is there; nothing is left of them. */
async function counting<T>(live: Streams['live'], asked: Promise<T>): Promise<T> {
  if (live === null) return asked;
  const startedMs = performance.now();
  const show = (): void => {
    const seconds = Math.floor((performance.now() - startedMs) / 1000);
    live(`looking at every node and between them: ${seconds} s, about ${USUAL_S} s`);
  };
  show();
  const timer = setInterval(show, 1000);
  try {
    return await asked;
  } finally {
    clearInterval(timer);
    live('');
  }
}
