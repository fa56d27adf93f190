import { sentence } from '../../agent/core/words.ts';
import type { Agent } from '../connect/client.ts';
import { mayBeInterrupted } from '../interrupt.ts';
import { newRequestId } from '../session.ts';
import { perform } from './acts.ts';
import { pressed } from './keys.ts';
import { FIRST_CHOICE, rowsOf } from './model.ts';
import type { Act, Choice, Picture, Reading } from './model.ts';
import { pageOf, topScreen } from './render.ts';
import { openTerminal } from './terminal.ts';

/** Between two readings, ms; and never less than so many times what one takes. */
const EVERY_MS = 1000;
const SHARE = 10;

/**
 * Shows the picture of the pair until the operator quits. An agent that goes
 * away is dialled again, or the other one; until then the last picture stands,
 * marked as old. What the operator agrees to is done; the first quit waits for its
 * end, the second does not. Rejects when the terminal is lost, and with the first failure
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
  let leaving = false;
  const act = async (asked: Act): Promise<void> => {
    const requestId = newRequestId();
    const running = { verb: asked.state, requestId, output: 'table' } as const;
    mayBeInterrupted({ ...running, acting: true });
    const notice =
      agent === null
        ? 'no agent answers: nothing was changed'
        : await perform(agent, asked, requestId);
    mayBeInterrupted({ ...running, acting: false });
    choice = { ...choice, doing: null, notice };
    if (leaving) return quit();
    if (over) return;
    draw();
    // What has changed is to be seen now.
    clearTimeout(timer);
    await again();
  };
  const terminal = openTerminal({
    key(key) {
      const next = pressed(choice, key, {
        nodes: picture.now.servers.nodes.length,
        rows: rowsOf(picture, choice),
        page: pageOf(picture, choice, terminal.size()),
      });
      if (next === null) {
        if (leaving || choice.doing === null) return quit();
        leaving = true;
        choice = { ...choice, notice: 'ending once that is done; q again: now' };
        return draw();
      }
      const { doing } = next;
      const agreed = doing !== null && doing !== choice.doing;
      choice = next;
      draw();
      if (agreed) void act(doing).catch(fail);
    },
    resized: draw,
    failed: (error) => fail(error),
  });
  let asking = false;
  const again = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    const startedMs = performance.now();
    try {
      agent ??= await dial();
      picture = { context, now: await read(agent), before: picture.now, problem: null };
    } catch (error) {
      if (agent !== first) agent?.close();
      agent = null;
      picture = { ...picture, problem: sentence(error) };
    }
    asking = false;
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
