import type { NeighbourFacts } from '../core/doctor/inspection.ts';
import type { NodeReport } from '../core/model.ts';
import type { Exec } from '../sys/exec.ts';

/** What this host has as MAC of its pair's IPv6 addresses, and whether it can tell others of them. */
export async function inspectNeighbours(
  exec: Exec,
  ndp: string,
  report: NodeReport | null,
): Promise<NeighbourFacts> {
  const untold = report?.problems.find(({ subject }) => subject === 'neighbours')?.cause ?? null;
  const vips = (report?.addresses ?? []).flatMap((one) =>
    one.vips.filter((vip) => vip.includes(':')).map((vip) => ({ ...one, vip })),
  );
  if (vips.length === 0) return { untold, entries: [] };
  const known = neighboursOf(await exec(ndp, ['-an']));
  return {
    untold,
    entries: vips.flatMap(({ vip, address, vhid }) =>
      known.filter((one) => one.neighbour === vip).map(({ mac }) => ({ address, vhid, vip, mac })),
    ),
  };
}

/**
 * The neighbours in `ndp -an` with their MAC in lower case. Left out are those without one, and
 * what is permanent: a host's own addresses, a MASTER's VIP with its physical MAC among them (12.1).
 */
export const neighboursOf = (
  text: string,
): { readonly neighbour: string; readonly mac: string }[] =>
  text.split('\n').flatMap((line) => {
    const [neighbour = '', mac = '', , expire] = line.trim().split(/\s+/);
    if (!/^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}$/i.test(mac) || expire === 'permanent') return [];
    const octets = mac.split(':').map((octet) => octet.toLowerCase().padStart(2, '0'));
    return [{ neighbour, mac: octets.join(':') }];
  });
