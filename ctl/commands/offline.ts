import { Option, type Command } from 'commander';
import { envelopeText } from '../json/envelope.ts';
import { asFailure } from '../failure.ts';
import { failed, newRequestId } from '../session.ts';
import type { SetupEnd } from '../setup/main.ts';
import type { Streams } from '../streams.ts';

/** -o and --json alone: these verbs reach no agent. */
export const printing = (command: Command): Command =>
  command
    .addOption(
      new Option('-o, --output <FORMAT>', 'table (default) or json, one line (docs/json.md)')
        .choices(['table', 'json'])
        .default('table'),
    )
    .addOption(new Option('--json', 'the same as -o json').implies({ output: 'json' }));

/** Runs a verb that asks nobody; with JSON its own lines are left out and the envelope printed. */
export async function offline(
  verb: string,
  { output }: { readonly output: 'table' | 'json' },
  io: Streams,
  perform: (own: Streams) => Promise<SetupEnd>,
): Promise<number> {
  const requestId = newRequestId();
  const startedMs = performance.now();
  const json = output === 'json';
  try {
    const own = json ? { ...io, out: () => undefined } : io;
    const { code, changed, result, ok = true, nodes = [] } = await perform(own);
    const tookMs = performance.now() - startedMs;
    if (json)
      io.out(
        envelopeText({
          verb,
          ok,
          changed,
          requestId,
          answeredBy: null,
          tookMs,
          result,
          nodes,
          error: null,
        }),
      );
    return code;
  } catch (error) {
    const tookMs = performance.now() - startedMs;
    return failed(verb, { output }, io, asFailure(error), requestId, tookMs);
  }
}
