import type { Problems } from '../problems.ts';
import type { Tls } from '../rpc/tls.ts';
import type { Clock } from '../sys/clock.ts';

const LOOK_MS = 60_000;
const DAY_MS = 86_400_000;
/** Renewed in good time: peers end what a certificate opened when it ends. */
const ALARM_MS = 30 * DAY_MS;

const REMEDY = 'proxyctl pki renew, copy it here, service proxyagent reload: pki.md of the guide';

/**
 * Says while this node's own certificate ends within 30 days or, of one for less, within the last
 * third of its life; and when it was revoked: then no other node talks with this one.
 */
export function watchOwnCertificate(
  tls: Pick<Tls, 'own'>,
  clock: Clock,
  problems: Pick<Problems, 'raise' | 'clear'>,
): { look(): void; stop(): void } {
  let cancel: () => void = () => undefined;
  const look = (): void => {
    const { notBeforeWallMs, notAfterWallMs, objection } = tls.own();
    const leftMs = notAfterWallMs - clock.wallMs();
    const alarmMs = Math.min(ALARM_MS, (notAfterWallMs - notBeforeWallMs) / 3);
    if (objection !== null && objection.why !== 'expired')
      problems.raise('own-certificate', `of this node: ${objection.text}`, REMEDY);
    else if (leftMs > alarmMs) problems.clear('own-certificate');
    else {
      const day = new Date(notAfterWallMs).toISOString().slice(0, 10);
      const says = leftMs > 0 ? 'ends' : 'ended';
      problems.raise('own-certificate', `this node's certificate ${says} on ${day}`, REMEDY);
    }
  };
  const again = (): void => {
    cancel = clock.after(LOOK_MS, () => {
      look();
      again();
    });
  };
  look();
  again();
  return { look, stop: () => cancel() };
}
