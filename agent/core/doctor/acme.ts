import { endpoint, knocked } from './backends.ts';
import type { Found } from './finding.ts';
import { known, type Inspection } from './inspection.ts';

const ROUTE = 'use_backend ACME if { path_beg /.well-known/acme-challenge/ }';

/** The way of an ACME challenge: from the frontend on port 80 to a responder on both families. */
export const acme = (inspections: readonly Inspection[]): Found[] =>
  inspections.flatMap((one) => [...half(one), ...route(one)]);

/** Backends of the route, and the configured responder: all that should listen, and some does not. */
function half({ node, probes, config, responder }: Inspection): Found[] {
  const facts = known(config);
  const configured = known(responder) ?? [];
  const backends = new Set((facts?.acme ?? []).map(({ backend }) => backend));
  const behind = (known(probes) ?? [])
    .filter(({ backend }) => backends.has(backend))
    .flatMap(({ addresses, port, line, file = facts?.path ?? null, text, backend }) =>
      addresses.map((knock) => ({ knock, port, line, file, text, backend })),
    );
  const dead = behind.filter(({ knock }) => !knock.answers);
  const ours = configured.map(({ address }) => address);
  // acme.sh's own standalone server listens only while it renews.
  const all = behind.length > 0 && dead.length === behind.length;
  const expected = dead.some(({ knock, port }) => ours.includes(endpoint(knock.address, port)));
  if (dead.length > 0 && (!all || expected))
    return [
      {
        id: 'acme-half-listening',
        about: '',
        severity: 'fail',
        address: null,
        nodes: [node],
        saw: behind.map(
          ({ knock, port, backend }) => `${node}: ${backend}: ${knocked(knock, port)}`,
        ),
        why: 'The authority asks several times: a question that meets no listener fails the renewal.',
        do: expected
          ? [{ node, file: null, line: null, text: 'service proxyagent status' }]
          : dead.map(({ line, file, text }) => ({
              node,
              file,
              line: String(line),
              text: `# ${text}`,
            })),
      },
    ];
  const silent = configured.filter(({ answers }) => !answers);
  if (silent.length === 0 || silent.length === configured.length) return [];
  return [
    {
      id: 'acme-half-listening',
      about: '',
      severity: 'fail',
      address: null,
      nodes: [node],
      saw: configured.map(
        ({ address, answers, why }) =>
          `${node}: ${address} ${answers ? 'answers' : `does not answer (${why})`}`,
      ),
      why: 'HAProxy may send a question of the authority to the half that nobody listens on.',
      do: [{ node, file: null, line: null, text: 'service proxyagent restart' }],
    },
  ];
}

/** A responder that listens and to which no question gets. */
function route({ node, config, responder }: Inspection): Found[] {
  const facts = known(config);
  const listening = (known(responder) ?? []).filter(({ answers }) => answers);
  if (facts === null || facts.plain === null || facts.acme.length > 0 || listening.length === 0)
    return [];
  const servers = listening.map(({ address }, at) => `  server acme${at + 1} ${address}`);
  const place = { node, file: facts.plain.file ?? facts.path };
  return [
    {
      id: 'acme-route',
      about: '',
      severity: 'warn',
      address: null,
      nodes: [node],
      saw: [
        `${node}: ${listening.map(({ address }) => address).join(' and ')} answer, and no line of ` +
          `${place.file} sends /.well-known/acme-challenge/ there`,
      ],
      why: 'The authority gets the answer of another backend: no certificate is renewed over HTTP.',
      do: [
        { ...place, line: `in ${facts.plain.section}`, text: ROUTE },
        ...['backend ACME', ...servers].map((text) => ({ ...place, line: 'at the end', text })),
      ],
    },
  ];
}
