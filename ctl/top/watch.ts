import { sentence } from '../../agent/core/words.ts';
import type { Agent } from '../connect/client.ts';
import { pressed } from './keys.ts';
import { FIRST_CHOICE, rowsOf, type Choice, type Picture, type Reading } from './model.ts';
import { pageOf, topScreen } from './render.ts';
import { openTerminal } from './terminal.ts';

/** Between two readings, ms; and never less than so many times what one takes. */
const EVERY_MS = 1000;
const SHARE = 10;

/**
 * Shows the picture of the pair until the operator quits. An agent that goes
 * away is dialled again, or the other one; until then the last picture stands,
 * marked as old. Rejects when the terminal is lost, and with the first failure
 * where there never was a picture.
 */
export async function watchTop(
  first: Agent,
  context: string,
  dial: () => Promise<Agent>,
): Promise<void> {
  let picture: Picture = { context, now: await read(first), before: null, problem: null };
  let choice: Choice = FIRST_CHOICE;
  let agent: Agent | null = first;
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  let quit = (): void => undefined;
  let fail = (_error: Error): void => undefined;
  const ended = new Promise<void>((resolve, reject) => {
    quit = resolve;
    fail = reject;
  });
  const draw = (): void => terminal.draw(topScreen(picture, choice, terminal.size()));
  const terminal = openTerminal({
    key(key) {
      const next = pressed(choice, key, {
        nodes: picture.now.servers.nodes.length,
        rows: rowsOf(picture, choice).length,
        page: pageOf(picture, terminal.size()),
      });
      if (next === null) return quit();
      choice = next;
      draw();
    },
    resized: draw,
    failed: (error) => fail(error),
  });
  const again = async (): Promise<void> => {
    const startedMs = performance.now();
    try {
      agent ??= await dial();
      picture = { context, now: await read(agent), before: picture.now, problem: null };
    } catch (error) {
      if (agent !== first) agent?.close();
      agent = null;
      picture = { ...picture, problem: sentence(error) };
    }
    if (over) return;
    draw();
    later(Math.max(EVERY_MS, (performance.now() - startedMs) * SHARE));
  };
  const later = (ms: number): void => {
    timer = setTimeout(() => void again().catch(fail), ms);
  };
  try {
    draw();
    later(EVERY_MS);
    await ended;
  } finally {
    over = true;
    clearTimeout(timer);
    terminal.close();
    if (agent !== first) (agent as Agent | null)?.close();
  }
}

async function read(agent: Agent): Promise<Reading> {
  const [status, servers] = await Promise.all([agent.status(), agent.servers(null)]);
  return { atMs: performance.now(), wallMs: Date.now(), status, servers };
}
