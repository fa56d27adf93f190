import { ActFailure } from '../../agent/core/results.ts';
import { asking } from './ask.ts';

/** How one question is put; the default in brackets is taken for an empty answer. */
type Ask = (question: string, otherwise?: string) => Promise<string>;

/**
 * Asks for what setup must know and gives an answer file. The answers are
 * checked as a file's are, afterwards and all together; what is not asked has
 * its default, and can be written into the file.
 */
export async function askAnswers(): Promise<string> {
  const terminal = asking('nothing was written');
  const ask: Ask = async (question, otherwise = '') => {
    const shown = otherwise === '' ? question : `${question} [${otherwise}]`;
    return (await terminal.question(`${shown}: `)).trim() || otherwise;
  };
  try {
    return await questions(ask);
  } catch (cause) {
    throw new ActFailure(
      'failed',
      { code: 'interrupted', message: 'not all questions were answered; nothing was written' },
      { cause },
    );
  } finally {
    terminal.close();
  }
}

async function questions(ask: Ask): Promise<string> {
  const lines = [`pair = ${quoted(await ask('Name of the pair', 'web'))}`];
  const nodes: string[] = [];
  let on = 'vtnet0';
  for (const which of ['first', 'second']) {
    const name = await ask(`Host name of the ${which} host, with domain`);
    nodes.push(name.split('.')[0] ?? name);
    on = await ask(`  its interface`, on);
    const addresses = await ask('  its addresses with prefix length, IPv4 and IPv6');
    const gateways = await ask('  its default gateways');
    lines.push('', '[[host]]', `name = ${quoted(name)}`, `interface = ${quoted(on)}`);
    lines.push(`address = ${list(addresses)}`);
    if (gateways !== '') lines.push(`gateway = ${list(gateways)}`);
  }
  const vips = await ask('Addresses that move between them, IPv4 and IPv6');
  const id = await ask('  their vhid, 1 to 255, used by nobody else in this network', '1');
  lines.push('', '[[vhid]]', `id = ${id}`, `vips = ${list(vips)}`);
  lines.push(
    `advskew = { ${nodes.map((node, at) => `${quoted(node)} = ${at * 100}`).join(', ')} }`,
  );
  const operator = await ask('Your name, for the certificate of your laptop', 'admin');
  lines.push('', '[[operator]]', `name = ${quoted(operator)}`, 'role = "admin"');
  const from = await ask('Networks from which you operate (ssh and the agents)');
  if (from !== '') lines.push('', '[firewall]', `ssh = ${list(from)}`, `operators = ${list(from)}`);
  const certificate = await ask('PEM file HAProxy serves', '/usr/local/etc/ssl/haproxy.pem');
  lines.push('', '[haproxy]', `certificate = ${quoted(certificate)}`);
  for (
    let name = await ask('Name of a backend');
    name !== '';
    name = await ask('Another backend, or nothing')
  ) {
    const hosts = await ask('  host names that go there');
    const servers = await ask('  its servers, IP:PORT or [IP]:PORT');
    const tls = /^y/i.test(await ask('  TLS to the servers', 'n'));
    lines.push('', '[[backend]]', `name = ${quoted(name)}`);
    if (hosts !== '') lines.push(`hosts = ${list(hosts)}`);
    lines.push(`servers = ${list(servers)}`, ...(tls ? ['tls = true'] : []));
  }
  return `${lines.join('\n')}\n`;
}

const quoted = (text: string): string => JSON.stringify(text);
const list = (text: string): string =>
  `[${text
    .split(/[\s,]+/)
    .filter((one) => one !== '')
    .map(quoted)
    .join(', ')}]`;
