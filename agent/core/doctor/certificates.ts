import type { Found, Remedy } from './finding.ts';
import { known, type CertificateFacts, type Inspection, type Pairwise } from './inspection.ts';

const DAY_MS = 86_400_000;
/** From here on nobody renews in time by a monthly habit. */
const LATE_DAYS = 7;
const OTHERS = 0o007;

/** Certificate files HAProxy is told to load: key, chain, end, size, mode and names. */
export const certificates = (
  inspections: readonly Inspection[],
  { alarmDays }: Pairwise,
): Found[] =>
  inspections.flatMap((one) => {
    const files = known(one.certificates) ?? [];
    return [
      ...files.flatMap((file) => [
        ...unusable(one.node, file),
        ...ending(one.node, file, alarmDays),
        ...tooLarge(one.node, file),
        ...unnamed(one.node, file),
        ...readable(one.node, file.keyFile, file.mode),
      ]),
      ...(known(one.keys) ?? []).flatMap(({ path, mode }) => readable(one.node, path, mode)),
      ...uncovered(one, files),
    ];
  });

const command = (node: string, text: string): Remedy => ({ node, file: null, line: null, text });
const push = (node: string, { path }: CertificateFacts): Remedy =>
  command(node, `proxyctl cert push FILE --as ${path}`);

/** PemProblem (agent/certs) by what it is about. */
const IDS: Readonly<Record<string, string>> = {
  key_mismatch: 'cert-key',
  no_key: 'cert-key',
  several_keys: 'cert-key',
  encrypted_key: 'cert-key',
  leaf_not_first: 'cert-chain',
  chain_order: 'cert-chain',
};

function unusable(node: string, file: CertificateFacts): Found[] {
  const common = { about: file.path, address: null, nodes: [node] };
  const { problem } = file;
  const found: Found[] = [];
  if (problem?.code === 'not_read')
    return [
      {
        ...common,
        id: 'not-seen',
        severity: 'unknown',
        saw: [`${node}: could not look at ${file.path}: ${problem.why}`],
        why: 'What was not looked at may be well or not.',
        do: [command(node, problem.remedy)],
      },
    ];
  // An end in the past is ending()'s.
  if (problem !== null && problem.code !== 'expired')
    found.push({
      ...common,
      id: IDS[problem.code] ?? 'cert-file',
      severity: 'fail',
      saw: [`${node}: ${file.path}: ${problem.why}`],
      why: 'HAProxy refuses it at its next start, or clients refuse what it serves.',
      do: [command(node, problem.remedy), push(node, file)],
    });
  if (file.warnings.length > 0)
    found.push({
      ...common,
      id: 'cert-chain',
      severity: 'warn',
      saw: file.warnings.map((one) => `${node}: ${file.path}: ${one}`),
      why: 'Some clients refuse such a chain, or get more than they need at every handshake.',
      do: [push(node, file)],
    });
  return found;
}

/** As after a change of the configuration without a reload, or one that was added at runtime. */
const unnamed = (node: string, file: CertificateFacts): Found[] =>
  file.unnamed === true
    ? [
        {
          id: 'cert-unnamed',
          about: file.path,
          severity: 'warn',
          address: null,
          nodes: [node],
          saw: [
            `${node}: HAProxy has loaded ${file.path}, and no file of its configuration names it`,
          ],
          why: 'After its next start HAProxy does not serve it, and what is pushed cannot be verified.',
          do: [command(node, 'name it on a bind line, or reload HAProxy where it is not wanted')],
        },
      ]
    : [];

const spell = (days: number): string => (days === 1 ? '1 day' : `${days} days`);

function ending(node: string, file: CertificateFacts, alarmDays: number): Found[] {
  if (file.endsInMs === null || file.endsInMs >= alarmDays * DAY_MS) return [];
  const days = Math.floor(Math.abs(file.endsInMs) / DAY_MS);
  const ended = file.endsInMs < 0;
  return [
    {
      id: 'cert-expires',
      about: file.path,
      severity: file.endsInMs < LATE_DAYS * DAY_MS ? 'fail' : 'warn',
      address: null,
      nodes: [node],
      saw: [
        ended
          ? `${node}: ${file.path} ended ${file.notAfter}, ${spell(days)} ago`
          : `${node}: ${file.path} ends ${file.notAfter}, in ${spell(days)}`,
      ],
      why: ended ? 'Clients refuse it.' : 'From then on clients refuse it.',
      do: [push(node, file)],
    },
  ];
}

const tooLarge = (node: string, file: CertificateFacts): Found[] =>
  file.tooLarge === null
    ? []
    : [
        {
          id: 'cert-too-large',
          about: file.path,
          severity: 'warn',
          address: null,
          nodes: [node],
          saw: [`${node}: ${file.path}: ${file.tooLarge}`],
          why: 'It cannot be swapped while HAProxy runs; each renewal needs a reload.',
          do: [
            {
              node,
              file: file.path,
              line: null,
              text: 'keep leaf, chain and key; take out the root and everything else',
            },
          ],
        },
      ];

const readable = (node: string, path: string, mode: number): Found[] =>
  (mode & OTHERS) === 0
    ? []
    : [
        {
          id: 'key-mode',
          about: path,
          severity: 'fail',
          address: null,
          nodes: [node],
          saw: [`${node}: ${path} has mode ${mode.toString(8).padStart(4, '0')}`],
          why: 'Every account of the host can read the private key.',
          do: [command(node, `chmod o= ${path}`)],
        },
      ];

function uncovered({ node, config }: Inspection, files: readonly CertificateFacts[]): Found[] {
  const facts = known(config);
  // A file that could not be read may cover it.
  if (facts === null || files.length === 0 || files.some(({ names }) => names.length === 0))
    return [];
  return facts.hosts
    .filter(({ name }) => !files.some(({ names }) => covers(names, name)))
    .map(({ name, section, line, file = facts.path }) => ({
      id: 'cert-name',
      about: name,
      severity: 'warn',
      address: null,
      nodes: [node],
      saw: [`${node}: ${file}:${line}: ${section} serves ${name}, no certificate has it`],
      why: 'Clients of that name get a certificate for another one and refuse it.',
      do: [command(node, `proxyctl cert push FILE   (a certificate with ${name})`)],
    }));
}

/** A wildcard stands for one left-most label (RFC 6125, 6.4.3). */
function covers(names: readonly string[], name: string): boolean {
  const wanted = name.toLowerCase();
  const wildcard = wanted.replace(/^[^.]+\./, '*.');
  return names.some((one) => [wanted, wildcard].includes(one.toLowerCase().replace(/\.$/, '')));
}
