/** What a package holds besides the two programs. Paths in the tree are from its root. */

export interface Source {
  readonly from: string;
  /** Absolute, where it is installed. */
  readonly to: string;
  readonly mode: number;
  /** Compressed with gzip(1), as man(1) reads it. */
  readonly gzip?: true;
}

export interface Directory {
  readonly path: string;
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
}

export const PREFIX = '/usr/local';
export const LIBEXEC = `${PREFIX}/libexec/proxyctl`;
export const ETC = `${PREFIX}/etc/proxyctl`;
const EXAMPLES = `${PREFIX}/share/examples/proxyctl`;
const MAN = `${PREFIX}/share/man`;
export const DOC = `${PREFIX}/share/doc/proxyctl`;

/** The collection for Ansible, from its folder. */
const ANSIBLE = [
  'README.md',
  'galaxy.yml',
  'meta/runtime.yml',
  'playbooks/upgrade.yml',
  'plugins/doc_fragments/common.py',
  'plugins/module_utils/proxyctl.py',
  ...['certificate', 'drain', 'failback', 'failover', 'maint', 'maintenance', 'ready', 'wait'].map(
    (name) => `plugins/modules/${name}.py`,
  ),
];

/** The operator's guide, below docs/; the decisions and how it is built stay with the sources. */
export const GUIDE: readonly string[] = [
  'agent.md',
  'alerts.md',
  'ansible.md',
  'certificates.md',
  'client.md',
  'daily.md',
  'drills.md',
  'freebsd-unverified.md',
  'glossary.md',
  'install.md',
  'json.md',
  'limits.md',
  'monitoring.md',
  'night.md',
  'operations.md',
  'pki.md',
  'records.md',
  'security.md',
  ...[
    'README',
    'add-address',
    'backup',
    'carp-password',
    'lost-laptop',
    'renew-certificate',
    'replace-host',
    'rollback-haproxy',
    'rotate-ca',
    'upgrade-freebsd',
    'upgrade-haproxy',
    'upgrade-proxyctl',
  ].map((name) => `runbooks/${name}.md`),
];

/** The file list. A new file of a package is one line here and one in port/pkg-plist. */
export const SOURCES: readonly Source[] = [
  { from: 'packaging/agent.toml.sample', to: `${ETC}/agent.toml.sample`, mode: 0o644 },
  {
    from: 'rc.d/proxyagent',
    to: `${PREFIX}/etc/rc.d/proxyagent`,
    mode: 0o555,
  },
  { from: 'agent/privilege/helper.sh', to: `${LIBEXEC}/helper.sh`, mode: 0o555 },
  { from: 'agent/privilege/deploy.sh', to: `${LIBEXEC}/deploy.sh`, mode: 0o444 },
  {
    from: 'packaging/newsyslog.conf',
    to: `${PREFIX}/etc/newsyslog.conf.d/proxyagent.conf`,
    mode: 0o644,
  },
  { from: 'packaging/devd.conf', to: `${EXAMPLES}/devd.conf`, mode: 0o644 },
  {
    from: 'packaging/periodic/450.proxyctl-certificates',
    to: `${PREFIX}/etc/periodic/daily/450.proxyctl-certificates`,
    mode: 0o555,
  },
  {
    from: 'packaging/verify-host.sh',
    to: `${LIBEXEC}/verify-host.sh`,
    mode: 0o555,
  },
  ...['prometheus/proxyctl.rules.yml', 'grafana/proxyctl.json'].map((file): Source => ({
    from: `packaging/${file}`,
    to: `${EXAMPLES}/${file}`,
    mode: 0o644,
  })),
  ...ANSIBLE.map((file): Source => ({
    from: `packaging/ansible/${file}`,
    to: `${EXAMPLES}/ansible/${file}`,
    mode: 0o644,
  })),
  ...['acme.sh', 'certbot', 'dehydrated', 'lego'].map((client): Source => ({
    from: `packaging/hooks/${client}`,
    to: `${EXAMPLES}/hooks/${client}`,
    mode: 0o555,
  })),
  { from: 'packaging/man/proxyctl.1', to: `${MAN}/man1/proxyctl.1.gz`, mode: 0o644, gzip: true },
  {
    from: 'packaging/man/proxyctl-agent.toml.5',
    to: `${MAN}/man5/proxyctl-agent.toml.5.gz`,
    mode: 0o644,
    gzip: true,
  },
  {
    from: 'packaging/man/proxyagent.8',
    to: `${MAN}/man8/proxyagent.8.gz`,
    mode: 0o644,
    gzip: true,
  },
  ...GUIDE.map((file): Source => ({ from: `docs/${file}`, to: `${DOC}/${file}`, mode: 0o644 })),
  { from: 'CHANGELOG.md', to: `${DOC}/CHANGELOG.md`, mode: 0o644 },
];

/**
 * Directories pkg(8) makes, and removes when they are empty. /var/run/proxyctl
 * is here for the first start; after a boot the rc script makes it again,
 * because /var/run may be in memory.
 */
export const DIRECTORIES: readonly Directory[] = [
  { path: ETC, mode: 0o755, owner: 'root', group: 'wheel' },
  { path: `${ETC}/tls`, mode: 0o750, owner: 'root', group: 'proxyctl' },
  { path: '/var/db/proxyctl', mode: 0o700, owner: 'proxyctl', group: 'proxyctl' },
  { path: '/var/run/proxyctl', mode: 0o755, owner: 'root', group: 'wheel' },
];
