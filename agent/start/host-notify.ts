import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Config, NotifyConfig } from '../config/config.ts';
import type { Standing } from '../core/events/event-changes.ts';
import type { PairEvent } from '../core/events/events.ts';
import { alertKey } from '../core/notify/notify.ts';
import { sentence } from '../core/words.ts';
import { exec } from '../notify/exec.ts';
import { mail } from '../notify/mail.ts';
import { loadMemory, memoryFile, NOTHING_PENDING } from '../notify/memory.ts';
import { notifier, type Target } from '../notify/notifier.ts';
import { webhook } from '../notify/webhook.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';

/** Tells the targets of this host of events, together with the peers. */
export async function hostNotify(host: {
  readonly config: Config;
  readonly clock: Clock;
  readonly problems: Problems;
  /** What stood when the agent before this one ended. */
  readonly standing: readonly Standing[];
  readonly onChange: () => void;
}) {
  const { config, clock, problems, standing, onChange } = host;
  const keyOfStanding = ({ id, subject }: Standing): string => alertKey(id, subject, config.node);
  const path = join(config.state, 'notify.json');
  const remedy = `make room in ${config.state}, or mend its rights`;
  const failed = (error: unknown): void => {
    if (error === null) problems.clear('notify.json');
    else problems.raise('notify.json', `${path} cannot be written: ${sentence(error)}`, remedy);
  };
  const save = memoryFile(path, failed);
  let saved: Promise<void> = Promise.resolve();
  const memory = await loadMemory(path).catch((error: unknown) => {
    problems.raise('notify.json', `${path} cannot be read: ${sentence(error)}`, remedy);
    return NOTHING_PENDING;
  });
  const made = new Map<string, { readonly one: NotifyConfig; readonly target: Target }>();
  /** What has not changed stays the same target. */
  const targetOf = (one: NotifyConfig): Target => {
    const before = made.get(one.name);
    if (before !== undefined && isDeepStrictEqual(before.one, one)) return before.target;
    const target = { ...filterOf(one), send: senderOf(one, clock) };
    made.set(one.name, { one, target });
    return target;
  };
  const telling = notifier({
    node: config.node,
    pair: config.pair,
    targets: config.notify.map(targetOf),
    clock,
    problems,
    memory,
    standing: standing.map(keyOfStanding),
    keep: (next) => void (saved = save(next)),
    changed: onChange,
  });
  return {
    ...telling,
    happened: (event: PairEvent): void => telling.happened(event),
    /** Another agent.toml: to these from now on. */
    become: (next: Pick<Config, 'notify'>): void => telling.retarget(next.notify.map(targetOf)),
    /** Resolves once what is known now is on disk, or cannot be. */
    saved: (): Promise<void> => saved,
  };
}

const filterOf = ({ name, severity, alerts, kinds }: NotifyConfig) => ({
  name,
  severity,
  alerts,
  kinds,
});

function senderOf(one: NotifyConfig, clock: Clock): Target['send'] {
  switch (one.kind) {
    case 'exec':
      return exec(one);
    case 'webhook':
      return webhook(one);
    case 'mail':
      return mail({ ...one, wallMs: () => clock.wallMs() });
  }
}
