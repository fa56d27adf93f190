import { adminState, isConfiguredOut } from './admin.ts';
import { compareStamps, inForce, serverKey, weightKey, type Intents } from '../intents.ts';
import type { Drift, Intent } from '../model.ts';
import { expectedWeight, targetOf, type ServerRecord } from './servers.ts';

/** What HAProxy has of one server. */
export interface ServerSetting {
  readonly backend: string;
  readonly server: string;
  /** srv_admin_state. */
  readonly bits: number;
  readonly weight: number;
  readonly initialWeight: number;
  /** Its weight is its own agent's to set. */
  readonly agentChecked: boolean;
}

export interface DriftInput {
  readonly settings: readonly ServerSetting[];
  readonly intents: Intents;
  /** What HAProxy was told, by key of the intent. */
  readonly records: ReadonlyMap<string, ServerRecord>;
  readonly instance: string;
  readonly pid: number;
  readonly wallMs: number;
}

export interface FoundDrift extends Drift {
  readonly key: string;
}

/**
 * Servers whose state or weight somebody changed behind the agents' backs: not
 * what an intent in force names, or, without one, not what the configuration
 * says (no configuration drains, and maintenance of its own has a bit). What
 * HAProxy is still to be told is no drift.
 */
export function driftOf(input: DriftInput): FoundDrift[] {
  const { instance } = input;
  const found: FoundDrift[] = [];
  const named = wishedServers(input.intents);
  for (const setting of input.settings) {
    const { backend, server, bits, weight, initialWeight } = setting;
    const is = adminState(bits);
    // Thousands are as they are configured, and nobody ever said a word about them.
    const plain = is === 'ready' && !isConfiguredOut(bits) && weight === initialWeight;
    if (plain && named.get(backend)?.has(server) !== true) continue;
    const key = serverKey(instance, backend, server);
    const wanted = standing(input, key, 'ready');
    const untouched = isConfiguredOut(bits) ? 'maint' : 'ready';
    const should = wanted === null ? untouched : wanted.value;
    if (wanted?.due !== true && should !== is)
      found.push({ key, backend, server, is, should, wished: wanted?.wished ?? false });
    if (setting.agentChecked) continue;
    const ofWeight = weightKey(instance, backend, server);
    const told = standing(input, ofWeight, '100%');
    const expected = told === null ? initialWeight : expectedWeight(told.value, initialWeight);
    if (told?.due !== true && expected !== weight) {
      const words = { is: `weight ${weight}`, should: `weight ${expected}` };
      found.push({ key: ofWeight, backend, server, ...words, wished: told?.wished ?? false });
    }
  }
  return found;
}

/**
 * Keys of the wishes that this process has in force, as it was told, and whose server it has no
 * longer: somebody deleted it at runtime.
 */
export function withoutServer(input: DriftInput): string[] {
  const there = new Set(input.settings.map(({ backend, server }) => `${backend}/${server}`));
  return [...input.records.values()].flatMap(({ key, pid, problem }) => {
    const target = targetOf(key);
    const intent = input.intents.get(key);
    if (target === null || intent === undefined || !inForce(intent, input.wallMs)) return [];
    if (target.instance !== input.instance || pid !== input.pid || problem !== '') return [];
    return there.has(`${target.backend}/${target.server}`) ? [] : [key];
  });
}

/**
 * Keys of intents that are over and that these servers have all the same, as a process may that
 * has begun with the state of before. What the configuration itself takes out is left alone.
 */
export function broughtBack({
  settings,
  intents,
  instance,
  wallMs,
}: Pick<DriftInput, 'settings' | 'intents' | 'instance' | 'wallMs'>): string[] {
  const isOver = (key: string): boolean => {
    const intent = intents.get(key);
    return intent !== undefined && !inForce(intent, wallMs);
  };
  return settings.flatMap(({ backend, server, bits, weight, initialWeight, agentChecked }) => {
    const state = serverKey(instance, backend, server);
    const isLowered = adminState(bits) !== 'ready' && !isConfiguredOut(bits);
    const ofWeight = weightKey(instance, backend, server);
    const isOther = weight !== initialWeight && !agentChecked;
    return [
      ...(isLowered && isOver(state) ? [state] : []),
      ...(isOther && isOver(ofWeight) ? [ofWeight] : []),
    ];
  });
}

/** Servers that some intent names, by backend. */
function wishedServers(intents: Intents): ReadonlyMap<string, ReadonlySet<string>> {
  const named = new Map<string, Set<string>>();
  for (const key of intents.keys()) {
    const target = targetOf(key);
    if (target === null) continue;
    const servers = named.get(target.backend) ?? new Set<string>();
    named.set(target.backend, servers.add(target.server));
  }
  return named;
}

interface Standing {
  readonly value: string;
  /** An intent in force names it. */
  readonly wished: boolean;
  /** This process is still to be told. */
  readonly due: boolean;
}

/** What this process was told for a key; null where nothing ever was. */
function standing(input: DriftInput, key: string, untold: string): Standing | null {
  const intent = input.intents.get(key);
  if (intent === undefined) return null;
  const wished = inForce(intent, input.wallMs);
  const value = wished ? intent.value : untold;
  const record = input.records.get(key);
  // A process that started since has its configuration, and was told nothing.
  if (!wished && record?.pid !== input.pid) return isDue(record, intent, untold) ? DUE : null;
  const told = record?.pid === input.pid && !isDue(record, intent, value) && record.problem === '';
  return { value, wished, due: !told };
}

const DUE: Standing = { value: '', wished: false, due: true };

const isDue = (record: ServerRecord | undefined, intent: Intent, value: string): boolean =>
  record === undefined || compareStamps(record.stamp, intent.stamp) !== 0 || record.state !== value;
