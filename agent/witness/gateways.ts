import { isIP } from 'node:net';

/**
 * Default gateways in the output of `netstat -rn` (FreeBSD: "default
 * 10.1.60.1 UGS vtnet0"), both families. A link-local gateway keeps its scope.
 */
export function parseGateways(text: string): string[] {
  const gateways = [...text.matchAll(/^(?:default|::\/0)\s+(\S+)\s+\S*G\S*\s/gm)];
  return gateways.flatMap(([, gateway]) =>
    gateway !== undefined && isIP(gateway.replace(/%.*$/, '')) !== 0 ? [gateway] : [],
  );
}
