import { ActFailure } from '../../agent/core/results.ts';
import type { Agent } from '../connect/client.ts';
import { table } from '../render/table.ts';
import { wrapped } from '../render/wrapped.ts';
import { asking } from '../setup/ask.ts';
import type { Streams } from '../streams.ts';
import { select, type Asked, type Manner, type Selection } from './select.ts';

/** Servers that are listed before the question. */
const MOST_LISTED = 200;

/**
 * The names of the servers that are meant, listed on standard error and agreed
 * to on the terminal unless `--yes` or `--dry-run` is given. Rejects with
 * ActFailure: as `select` does, and 'failed' for a no.
 */
export async function agreedTargets(
  agent: Pick<Agent, 'servers'>,
  asked: Asked,
  manner: Manner,
  io: Streams,
): Promise<string[]> {
  const selection = select(await agent.servers(null), asked);
  const names = selection.servers.map(({ name }) => name);
  if (manner.output === 'table') io.err(`${listed(selection)}\n`);
  if (manner.yes || manner.dryRun) return names;
  const count = names.length === 1 ? 'this server' : `these ${names.length} servers`;
  const terminal = asking('nothing was changed');
  try {
    const answer = await terminal.question(`${manner.verb} ${count}? [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return names;
  } finally {
    terminal.close();
  }
  throw new ActFailure('failed', { code: 'not_agreed', message: 'nothing was changed' });
}

function listed({ servers, notes }: Selection): string {
  const rows = servers
    .slice(0, MOST_LISTED)
    .map(({ name, addresses, states, sessions }) => [
      name,
      addresses.join(', ') || '?',
      states.join(', '),
      String(sessions),
    ]);
  const more = servers.length - rows.length;
  return [
    table(['SERVER', 'ADDRESS', 'STATE', 'SESSIONS'], rows, { right: [3] }),
    ...(more > 0 ? [`and ${more} more`] : []),
    ...notes.map((note) => wrapped(`note      ${note}`)),
  ].join('\n');
}
