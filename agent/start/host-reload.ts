import { reloadNote } from '../audit/notes.ts';
import type { Config } from '../config/config.ts';
import type { Policy } from '../core/model.ts';
import type { Log } from '../log.ts';
import type { Problems } from '../problems.ts';
import type { hostEvents } from './host-events.ts';
import type { HostFiles } from './host-files.ts';
import type { hostLinks } from './host-links.ts';
import type { hostNotify } from './host-notify.ts';
import type { hostShown } from './host-shown.ts';
import { reloading } from './reload.ts';

/** What SIGHUP does to a running agent, and puts on record of it. */
export function hostReload(host: {
  readonly config: Config;
  readonly policy: Policy;
  readonly log: Log;
  readonly problems: Problems;
  readonly files: Pick<HostFiles, 'tls' | 'audit' | 'events' | 'revocations' | 'own'>;
  readonly links: Pick<ReturnType<typeof hostLinks>, 'renew'>;
  readonly notify: Pick<Awaited<ReturnType<typeof hostNotify>>, 'become'>;
  readonly shown: Pick<Awaited<ReturnType<typeof hostShown>>, 'become'>;
  readonly happens: Pick<ReturnType<typeof hostEvents>, 'reloaded' | 'refused'>;
  /** It may decide otherwise now. */
  readonly onChange: () => void;
}) {
  const { config, policy, log, problems, links, notify, shown, happens, onChange } = host;
  const { tls, audit, events, revocations, own } = host.files;
  const renewed = (): void => {
    links.renew();
    own.look();
    void revocations.reload();
  };
  const become = (next: Config): void => {
    notify.become(next);
    // An address that cannot be had is a problem of its own.
    void shown.become(next);
  };
  const apply = reloading({ running: config, policy, tls, become, renewed, log, problems });
  return {
    reload(next: Config): void {
      problems.clear('config');
      const reloaded = apply(next);
      audit.note(reloadNote(reloaded));
      happens.reloaded(reloaded);
      onChange();
    },
    reloadRefused(cause: string, remedy: string): void {
      problems.raise('config', cause, remedy);
      audit.note(reloadNote({ taken: [], waiting: [], refused: cause }));
      happens.refused(cause);
    },
    reopenRecords(): void {
      audit.reopen();
      events.reopen();
    },
  };
}
