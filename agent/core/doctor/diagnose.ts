import { acme } from './acme.ts';
import { adverts } from './adverts.ts';
import { backends } from './backends.ts';
import { comparedCarp, hostCarp } from './carp.ts';
import { certificates } from './certificates.ts';
import { neighbours } from './neighbours.ts';
import { merged, type Finding, type Found } from './finding.ts';
import { haproxy } from './haproxy.ts';
import type { Inspection, Pairwise } from './inspection.ts';
import { unseenOlder } from './older.ts';
import { others } from './others.ts';
import { prefixes } from './prefixes.ts';
import { pairwise } from './pairwise.ts';
import { running } from './running.ts';
import { stateFiles } from './state-files.ts';
import { unseen } from './not-seen.ts';

type Check = (inspections: readonly Inspection[], pair: Pairwise) => readonly Found[];

const CHECKS: readonly Check[] = [
  hostCarp,
  comparedCarp,
  prefixes,
  adverts,
  neighbours,
  running,
  haproxy,
  stateFiles,
  backends,
  acme,
  certificates,
  pairwise,
  others,
  unseen,
  unseenOlder,
];

/** Everything that is wrong, worst first. */
export const diagnose = (inspections: readonly Inspection[], pair: Pairwise): Finding[] =>
  merged(CHECKS.flatMap((check) => check(inspections, pair)));
