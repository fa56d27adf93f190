import { connect, type Socket } from 'node:net';
import type { CarpState } from '../core/model.ts';
import type { Clock } from '../sys/clock.ts';

/** What devd(8) tells of CARP and of links. It says that something happened, not what is so now. */
export type DevdEvent =
  | {
      readonly kind: 'carp';
      readonly interface: string;
      readonly vhid: number;
      readonly state: CarpState;
    }
  | { readonly kind: 'link'; readonly interface: string; readonly up: boolean };

/**
 * One line of devd's pipe, or null for anything else:
 * `!system=CARP subsystem=1@em0 type=MASTER` (carp_set_state(), FreeBSD
 * sys/netinet/ip_carp.c) and `!system=IFNET subsystem=em0 type=LINK_UP`.
 * Further words on the line are let pass.
 */
export function parseDevd(line: string): DevdEvent | null {
  const [, vhid, carpOn, state] =
    /^!system=CARP subsystem=(\d+)@(\S+) type=(INIT|BACKUP|MASTER)\b/.exec(line) ?? [];
  if (carpOn !== undefined && (state === 'INIT' || state === 'BACKUP' || state === 'MASTER'))
    return { kind: 'carp', interface: carpOn, vhid: Number(vhid), state };
  const [, linkOf, link] = /^!system=IFNET subsystem=(\S+) type=LINK_(UP|DOWN)\b/.exec(line) ?? [];
  return linkOf === undefined ? null : { kind: 'link', interface: linkOf, up: link === 'UP' };
}

export interface DevdOptions {
  /** The stream pipe, /var/run/devd.pipe. */
  readonly path: string;
  readonly clock: Clock;
  readonly onEvent: (event: DevdEvent) => void;
  /** Any line at all, before its event: this connection is one of those that devd serves. */
  readonly onHeard: () => void;
  /** Connected (read everything again: events are not replayed), or lost and why. */
  readonly onState: (state: { readonly connected: boolean; readonly cause: string }) => void;
}

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5000;

/** Follows devd's pipe for ever, connecting again after every loss. `close` ends it. */
export function watchDevd({ path, clock, onEvent, onHeard, onState }: DevdOptions): {
  close(): void;
} {
  let socket: Socket | null = null;
  let retryMs = FIRST_RETRY_MS;
  let closed = false;
  let cancel = (): void => {};
  let said = '';

  function open(): void {
    let rest = '';
    let cause = 'devd closed its pipe';
    const opened = connect(path);
    socket = opened;
    opened.setEncoding('utf8');
    opened.on('connect', () => {
      retryMs = FIRST_RETRY_MS;
      said = '';
      onState({ connected: true, cause: '' });
    });
    opened.on('data', (chunk: string) => {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        onHeard();
        const event = parseDevd(line);
        if (event !== null) onEvent(event);
      }
    });
    opened.on('error', (error) => {
      cause = error.message;
    });
    opened.on('close', () => {
      if (closed) return;
      if (cause !== said) onState({ connected: false, cause });
      said = cause;
      cancel = clock.after(retryMs, open);
      retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
    });
  }

  open();
  return {
    close(): void {
      closed = true;
      cancel();
      socket?.destroy();
    },
  };
}
