import type { Found } from './finding.ts';
import { known, type Inspection } from './inspection.ts';

const NO_CHECK = 'HAProxy never notices that one is dead: its share of the requests fails.';
/** More than so many are one finding: one line for all of them does. */
export const FEW = 5;

/** Servers that HAProxy does not check, one by one where they are few. */
export function unchecked({ node, config }: Inspection): Found[] {
  const facts = known(config);
  const servers = (facts?.servers ?? []).filter(({ check }) => !check);
  if (servers.length > FEW) {
    const names = servers.slice(0, FEW).map(({ backend, name }) => `${backend}/${name}`);
    const more = servers.length - FEW;
    const [file, ...others] = new Set(servers.map((one) => one.file ?? facts?.path ?? null));
    return [
      {
        id: 'haproxy-no-check',
        about: '',
        severity: 'warn',
        address: null,
        nodes: [node],
        saw: [
          `${node}: ${servers.length} servers have no check: ${names.join(', ')}, ${more} more`,
        ],
        why: NO_CHECK,
        do: [
          {
            node,
            file: others.length > 0 ? null : (file ?? null),
            line: 'in defaults, or in the backends that want it',
            text: 'default-server check',
          },
        ],
      },
    ];
  }
  return servers.map((server) => ({
    id: 'haproxy-no-check',
    about: `${server.backend}/${server.name}`,
    severity: 'warn',
    address: null,
    nodes: [node],
    saw: [`${node}: ${server.backend}/${server.name} has no check`],
    why: NO_CHECK,
    do: [
      {
        node,
        file: server.file ?? facts?.path ?? null,
        line: String(server.line),
        text: `${server.text} check`,
      },
    ],
  }));
}
