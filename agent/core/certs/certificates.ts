import type { Certificates, InspectedCertificate } from '../answers.ts';
import { certificateKey } from '../intents.ts';

const DAY_MS = 86_400_000;

/** Something about a certificate that an operator should know. */
export interface CertificateFinding {
  /** Stable word. */
  readonly id: 'expired' | 'expiry' | 'disk' | 'served' | 'undecided' | 'peer' | 'unread';
  readonly node: string;
  readonly name: string;
  readonly text: string;
}

/** What the last look at this node's certificates saw; null: there was none yet. */
export interface CertificatesSeen {
  readonly certificates: readonly InspectedCertificate[];
  readonly findings: readonly CertificateFinding[];
  /** Unix ms. */
  readonly atWallMs: number | null;
}

/** Whole days left, as people count; negative: since when it has ended. `endMs`, `wallMs`: Unix ms. */
export const daysLeft = (endMs: number, wallMs: number): number =>
  Math.floor((endMs - wallMs) / DAY_MS);

/**
 * When the next of these ends comes within one of `alarmDays`, or has come; Infinity: none will.
 * `ends`, `wallMs` and what it gives are Unix ms.
 */
export function nextAlarmMs(
  ends: readonly number[],
  wallMs: number,
  alarmDays: readonly number[],
): number {
  let next = Infinity;
  for (const endMs of ends)
    for (const days of [0, ...alarmDays]) {
      // daysLeft is less than these from the millisecond after.
      const atMs = endMs - days * DAY_MS + 1;
      if (atMs > wallMs && atMs < next) next = atMs;
    }
  return next;
}

/**
 * What differs between disk, memory, wire, decision and nodes, and what ends within one of
 * `alarmDays`. `wallMs` and what `endMs` gives are Unix ms; the latter takes RFC 3339.
 */
export function certificateFindings(
  { nodes, intents }: Pick<Certificates, 'nodes' | 'intents'>,
  { wallMs, alarmDays, endMs }: FindingOptions,
): CertificateFinding[] {
  const found: CertificateFinding[] = [];
  const memories = new Map<string, Map<string, string[]>>();
  const decided = new Map(intents.map((intent) => [intent.key, intent]));
  for (const { node, certificates } of nodes)
    for (const one of certificates) {
      const { name, memory, disk, served, sha256 } = one;
      const add = (id: CertificateFinding['id'], text: string): void =>
        void found.push({ id, node, name, text });
      const left = daysLeft(endMs(one.notAfter), wallMs);
      const passed = alarmDays.filter((days) => left < days);
      if (left < 0) add('expired', `${called(one)} ended ${days(-left - 1)} ago, ${one.notAfter}`);
      else if (passed.length > 0)
        add('expiry', `${called(one)} ends in ${days(left)}, ${one.notAfter}`);
      if (one.problem !== '') add('unread', one.problem);
      // Where memory is not known `problem` says so, and there is nothing to compare.
      if (memory !== null && disk !== null && disk !== memory)
        add('disk', `${file(one)} is another one: a reload of HAProxy would serve ${short(disk)}`);
      if (memory !== null && served !== null && served !== memory)
        add('served', `clients get ${short(served)}, HAProxy has ${short(memory)} in memory`);
      const wanted = decided.get(certificateKey(name));
      if (wanted !== undefined && sha256 !== null && sha256 !== wanted.value)
        add('undecided', `${file(one)} is not the version that ${wanted.actor} pushed`);
      if (memory === null) continue;
      const of = memories.get(name) ?? new Map<string, string[]>();
      memories.set(name, of.set(memory, [...(of.get(memory) ?? []), node]));
    }
  for (const [name, of] of memories)
    if (of.size > 1)
      for (const [memory, on] of of)
        for (const node of on) {
          const others = [...of].filter(([other]) => other !== memory).flatMap(([, on]) => on);
          const text = `it has ${short(memory)}, ${others.join(', ')} another one`;
          found.push({ id: 'peer', node, name, text });
        }
  return found;
}

export interface FindingOptions {
  readonly wallMs: number;
  readonly alarmDays: readonly number[];
  readonly endMs: (notAfter: string) => number;
}

/** Its file, unless the certificate is called by it anyway. */
const file = ({ name, path }: Named): string => (name === path ? 'the file' : path);
const called = ({ name, path }: Named): string => (name === path ? 'it' : path);
type Named = Pick<InspectedCertificate, 'name' | 'path'>;

const days = (whole: number): string =>
  whole === 0 ? 'less than a day' : whole === 1 ? '1 day' : `${whole} days`;

const short = (fingerprint: string | null): string => (fingerprint ?? 'nothing').slice(0, 12);
