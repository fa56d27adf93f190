import test from 'ava';
import type { ExecutionContext } from 'ava';
import { ConfigError, parseConfig, type Config } from '../../agent/config/config.ts';

const PEER = '[[peer]]\nnode = "haproxy02"\naddress = ["10.1.60.202:7660"]\n';
const source = { file: 'agent.toml', hostname: 'haproxy01' };
const read = (text: string): Promise<Config> => parseConfig(`${text}${PEER}`, source);

async function wrong(t: ExecutionContext, text: string): Promise<string[]> {
  const error = await t.throwsAsync(read(text), { instanceOf: ConfigError });
  return error.message.split('\n');
}

test('a target of each kind, with what is not said by default', async (t) => {
  const { notify } = await read(`[[notify]]
name = "ops"
kind = "mail"
from = "proxyctl@web.example.net"
to = ["ops@example.net"]
[[notify]]
name = "chat"
kind = "webhook"
url = "https://chat.example.net/hook"
headers_file = "/usr/local/etc/proxyctl/chat.headers"
severity = "fail"
timeout = "5s"
[[notify]]
name = "pager"
kind = "exec"
command = ["/usr/local/bin/page", "night"]
alerts = ["no-master", "split-brain"]
kinds = ["alert"]
`);
  const base = {
    severity: 'warn',
    alerts: [],
    kinds: ['alert', 'moved', 'maintenance', 'pause', 'resume'],
    timeoutMs: 10_000,
    command: [],
    url: '',
    headersFile: '',
    ca: '',
    from: '',
    to: [],
    sendmail: '/usr/sbin/sendmail',
  };
  t.deepEqual(notify as unknown, [
    {
      ...base,
      name: 'ops',
      kind: 'mail',
      from: 'proxyctl@web.example.net',
      to: ['ops@example.net'],
    },
    {
      ...base,
      name: 'chat',
      kind: 'webhook',
      url: 'https://chat.example.net/hook',
      headersFile: '/usr/local/etc/proxyctl/chat.headers',
      severity: 'fail',
      timeoutMs: 5000,
    },
    {
      ...base,
      name: 'pager',
      kind: 'exec',
      command: ['/usr/local/bin/page', 'night'],
      alerts: ['no-master', 'split-brain'],
      kinds: ['alert'],
    },
  ]);
});

test('what cannot be told, or is of another kind, is refused with its place', async (t) => {
  const text = `[[notify]]
name = "ops"
kind = "mail"
from = "-oQ/tmp@example.net"
to = ["a@b, c@d"]
[[notify]]
name = "ops"
kind = "webhook"
to = ["a@b"]
[[notify]]
name = "pager"
kind = "exec"
command = ["page"]
kinds = ["moves"]
alerts = ["no-such"]
`;
  const lines = await wrong(t, text);
  const starts = (start: string): boolean => lines.some((line) => line.startsWith(start));
  for (const start of [
    'agent.toml:4:1: notify.0.from: must be one mail address, not ',
    'agent.toml:5:7: notify.0.to.0: must be one mail address, not ',
    'agent.toml:7:1: notify.1.name: ops is named twice',
    'agent.toml:6:3: notify.1: needs url: it is of kind webhook',
    'agent.toml:9:1: notify.1.to: says nothing for one of kind webhook; leave it out',
    'agent.toml:13:1: notify.2.command: must start with the absolute path of a program, not ',
    'agent.toml:14:10: notify.2.kinds.0: must be a kind of event ',
    'agent.toml:15:11: notify.2.alerts.0: must be one of ',
  ])
    t.true(starts(start), `${start}\n${lines.join('\n')}`);
});
