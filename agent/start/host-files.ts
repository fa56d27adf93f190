import { openAudit, type AuditLog } from '../audit/audit.ts';
import { revokedNote, stoppedNote } from '../audit/notes.ts';
import { toStandardOutput } from '../audit/syslog.ts';
import type { Config } from '../config/config.ts';
import type { Ends } from '../ends.ts';
import { happening } from '../core/events/events.ts';
import { openEvents, type EventRecord } from '../events/record.ts';
import type { Privileges } from '../privilege/privileges.ts';
import type { Problems } from '../problems.ts';
import { createTls, type Tls } from '../rpc/tls.ts';
import { diskFromReserve, systemDisk } from '../store/disk.ts';
import { saving } from '../store/saving.ts';
import { openStore, type Store } from '../store/state.ts';
import type { Clock } from '../sys/clock.ts';
import type { Descriptors } from '../sys/descriptors.ts';
import { watchOwnCertificate } from './own-certificate.ts';
import { openRevocations } from './revocations.ts';
import { tellRoot } from './tell-root.ts';

/** What an agent has on disk for itself: keys, state, who was revoked, who did what. */
export interface HostFiles {
  readonly tls: Tls;
  readonly stored: Store['state'];
  readonly save: ReturnType<typeof saving>;
  readonly audit: AuditLog;
  readonly events: EventRecord;
  readonly revocations: Awaited<ReturnType<typeof openRevocations>>;
  readonly own: ReturnType<typeof watchOwnCertificate>;
  /** Takes a list of the CA's; true where it said anything new. */
  readonly storeRevocations: (list: string) => Promise<boolean>;
}

/** Opens all of it; rejects with one sentence where a key or the state cannot be used. */
export async function hostFiles(host: {
  readonly config: Config;
  readonly clock: Clock;
  readonly problems: Problems;
  readonly descriptors: Descriptors;
  readonly ends: Ends;
  readonly privileges: Pick<Privileges, 'deployments'>;
  /** Tells of what was found wrong at the start. */
  readonly problemOf: (subject: string, cause: string, remedy: string) => void;
}): Promise<HostFiles> {
  const { config, clock, problems, descriptors, ends, problemOf } = host;
  const { node, state, log } = config;
  const tls = createTls(config.tls, config.pair, node, clock);
  const store = await openStore(state, clock.wallMs(), diskFromReserve(systemDisk, descriptors));
  for (const [place, { cause, remedy }] of store.problems.entries())
    problemOf(`state-set-aside-${place + 1}`, cause, remedy);
  const syslog = { write: toStandardOutput(), always: log.auditSyslog };
  const audit = openAudit({ node, file: log.audit, syslog, clock, problems });
  ends.opened(() => {
    audit.close();
    audit.note(stoppedNote());
  });
  const { epoch } = store.state;
  const events = openEvents({ node, epoch, file: log.events, clock, problems });
  ends.opened(() => {
    events.close();
    events.add([happening('agent-stopped', node, 'the agent ends')]);
  });
  const taken = (lists: Parameters<typeof revokedNote>[0]): void => {
    audit.note(revokedNote(lists));
    const serials = lists.flatMap((one) => one.serials);
    const text = `${serials.length} certificates of the pair are revoked`;
    events.add([
      happening('revocation', 'revocation list', text, {
        objects: serials,
        objectsCount: serials.length,
      }),
    ]);
  };
  const inForce = tellRoot(host.privileges.deployments, problems);
  const revocations = await openRevocations({ folder: state, tls, problems, taken, inForce });
  const own = watchOwnCertificate(tls, clock, problems);
  ends.opened(() => own.stop());
  const remedy = `make room in ${state}, or mend its rights`;
  const save = saving({ store, problems, clock, remedy });
  const storeRevocations = async (list: string): Promise<boolean> => {
    const changed = await revocations.store(list);
    own.look();
    return changed;
  };
  return { tls, stored: store.state, save, audit, events, revocations, own, storeRevocations };
}
