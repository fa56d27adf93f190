import { setTimeout as sleep } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import { DEADLINES, type AdminState, type Deadline } from '../../agent/core/acts.ts';
import type { ServersAnswer } from '../../agent/core/answers.ts';
import { serversListResult, serversResult } from '../json/servers.ts';
import { AGENT_AND_HAPROXY, answerText, askedRow } from '../json/answer.ts';
import { type Envelope } from '../json/envelope.ts';
import { changing, common, ending, type Finish } from '../options.ts';
import { endOr } from '../render/duration.ts';
import { serversTable } from '../render/acts.ts';
import { serversScreen } from '../render/servers.ts';
import { acting, newRequestId, reading, type ActOptions, type CommonOptions } from '../session.ts';
import { usage } from '../failure.ts';
import { checkAsked, checkCanAsk, isSelection } from '../targets/select.ts';
import type { Streams } from '../streams.ts';

const VERBS: readonly (readonly [AdminState, string, string])[] = [
  ['drain', 'no new sessions, those there may end', '`proxyctl ready`'],
  ['ready', 'takes traffic again, once its health check is good', ''],
  ['maint', 'out of service, its checks too', '`proxyctl ready`'],
];
/** How long --wait waits where no --timeout is given, ms. */
const WAIT_MS = 300_000;
/** Between two readings of --watch, ms. */
const WATCH_MS = 1000;

interface ServersOptions extends ActOptions {
  readonly wait?: boolean;
  readonly then?: Deadline;
  readonly host?: string;
  readonly yes: boolean;
}

/** `proxyctl servers`, `drain`, `ready`, `maint` and `weight`. */
export function addServers(program: Command, io: Streams, finish: Finish): void {
  addList(program, io, finish);
  for (const [state, summary, endedBy] of VERBS) {
    const command = changing(
      program
        .command(`${state} [TARGET...]`)
        .summary(summary)
        .description(
          `A server of HAProxy, on every node: ${summary}. TARGET is BACKEND/SERVER or BACKEND, with * and ? for more than one.`,
        ),
    );
    selecting(command);
    if (state !== 'ready') waiting(ending(command));
    command.action(async (named: string[], options: ServersOptions) => {
      const asked = { targets: named, host: options.host ?? null };
      const manner = { ...options, verb: state };
      const selects = isSelection(asked);
      checkAsked(asked, state);
      if (selects) checkCanAsk(manner);
      let targets = named;
      const wait = options.wait === true ? (options.then ?? 'leave') : null;
      if (wait === null && options.then !== undefined)
        throw usage('--then says what happens when --wait ends', 'add --wait');
      finish(
        await acting(
          state,
          wait === null ? options : { ...options, timeout: options.timeout ?? WAIT_MS },
          io,
          (agent, header, report) => {
            const untilMs = options.until ?? null;
            return agent.setServers({ header, targets, state, untilMs, wait }, report);
          },
          {
            async first(agent) {
              if (!selects) return;
              const { agreedTargets } = await import('../targets/agree.ts');
              targets = await agreedTargets(agent, asked, manner, io);
            },
            table: (result) => (result.servers.length === 0 ? '' : serversTable(result)),
            result: serversResult,
            afterwards: ({ changed }) => stays(endedBy, changed, options.until),
            withStatus: false,
          },
        ),
      );
    });
  }
  addWeight(program, io, finish);
}

/** What ends it; empty for what is no wish any more. */
function stays(endedBy: string, changed: boolean, until: number | undefined): string {
  if (endedBy === '') return '';
  return changed
    ? `Stays so until ${endOr(until, Date.now())}${endedBy}.`
    : 'Already so: proxyctl servers shows since when and until when.';
}

/** --host and --yes. */
const selecting = (command: Command): Command =>
  command
    .optionsGroup('Options:')
    .option('--host <ADDRESS>', 'all servers with this IP, or those of TARGET; listed first')
    .option('-y, --yes', 'do not ask before --host or a pattern is done', false);

/** --wait and --then. */
const waiting = (command: Command): Command =>
  command
    .optionsGroup('Options:')
    .option('--wait', 'until no session is left on any node, 300 s or --timeout', false)
    .addOption(
      new Option(
        '--then <WHAT>',
        'at that time: leave it, maint, kill the sessions, or fail (undo)',
      )
        .choices(DEADLINES)
        .helpGroup('Options:'),
    );

function addWeight(program: Command, io: Streams, finish: Finish): void {
  ending(
    changing(
      program
        .command('weight <TARGET> <WEIGHT>')
        .summary("a server's share: 0 to 256, 50%, or reset")
        .description(
          "A server's weight, on every node: 0 to 256, a share of the configured one like 50%, or reset. TARGET is BACKEND/SERVER or BACKEND.",
        ),
    ),
  ).action(async (target: string, text: string, options: ActOptions) =>
    finish(
      await acting(
        'weight',
        options,
        io,
        (agent, header, report) => {
          const weight = text === 'reset' ? null : text;
          const untilMs = options.until ?? null;
          return agent.setWeights({ header, targets: [target], weight, untilMs }, report);
        },
        {
          table: (result) => (result.servers.length === 0 ? '' : serversTable(result)),
          result: serversResult,
          afterwards: ({ changed }) =>
            stays(text === 'reset' ? '' : '`proxyctl weight ... reset`', changed, options.until),
          withStatus: false,
        },
      ),
    ),
  );
}

function addList(program: Command, io: Streams, finish: Finish): void {
  common(
    program
      .command('servers [BACKEND]')
      .summary('every server, with the nodes side by side')
      .description(
        'Every server or those of one backend: state, weight, sessions, queue and last check on every node; who wants it so, why and until when.',
      ),
  )
    .optionsGroup('Options:')
    .option('--watch', 'again every second; with -o json one envelope a line', false)
    .action(
      async (backend: string | undefined, options: CommonOptions & { readonly watch: boolean }) => {
        const verb = 'servers';
        const print = (
          answer: ServersAnswer,
          told: Pick<Envelope, 'requestId' | 'tookMs'>,
        ): number => {
          const wallMs = Date.now();
          if (options.output === 'json')
            io.out(
              answerText(
                verb,
                answer.node,
                told,
                serversListResult(answer, wallMs),
                answer.nodes.map((one) => askedRow(one, 'servers_unknown', AGENT_AND_HAPROXY)),
              ),
            );
          else if (options.watch) io.screen(serversScreen(answer, wallMs));
          else io.states(serversScreen(answer, wallMs));
          return 0;
        };
        const code = await reading(
          verb,
          options,
          io,
          async (agent) => {
            const look = (): Promise<ServersAnswer> => agent.servers(backend ?? null);
            while (options.watch) {
              const startedMs = performance.now();
              const answer = await look();
              const tookMs = performance.now() - startedMs;
              print(answer, { requestId: newRequestId(), tookMs });
              await sleep(WATCH_MS);
            }
            return look();
          },
          print,
        );
        finish(code);
      },
    );
}
