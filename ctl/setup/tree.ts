import { agentToml, operatorToml } from './agent-toml.ts';
import { haproxyConf } from './haproxy-conf.ts';
import { pfConf } from './pf-conf.ts';
import type { Generated, Host, Operator, Plan } from './plan.ts';
import { mergeRcConf, rcSettings } from './rc-conf.ts';
import { mergeLoaderConf, mergeSysctlConf } from './small-files.ts';

/** PEM texts of one holder. */
export interface Credentials {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

const TLS_FOLDER = 'usr/local/etc/proxyctl/tls';

/** Every file of one host, as on a host that has none of them; paths as there. */
export const hostFiles = (plan: Plan, host: Host, tls: Credentials): Generated[] => [
  { path: 'boot/loader.conf', text: mergeLoaderConf(''), mode: 0o644 },
  { path: 'etc/pf.conf', text: pfConf(plan, host), mode: 0o600 },
  { path: 'etc/rc.conf', text: mergeRcConf('', rcSettings(plan, host)), mode: 0o600 },
  { path: 'etc/sysctl.conf', text: mergeSysctlConf('', plan.preempt), mode: 0o644 },
  { path: 'usr/local/etc/haproxy.conf', text: haproxyConf(plan, host), mode: 0o644 },
  { path: 'usr/local/etc/proxyctl/agent.toml', text: agentToml(plan, host), mode: 0o644 },
  { path: `${TLS_FOLDER}/ca.pem`, text: tls.ca, mode: 0o644 },
  { path: `${TLS_FOLDER}/node.key`, text: tls.key, mode: 0o600 },
  { path: `${TLS_FOLDER}/node.pem`, text: tls.certificate, mode: 0o644 },
];

/** Every file of one operator, below ~/.config/proxyctl. */
export const operatorFiles = (plan: Plan, operator: Operator, tls: Credentials): Generated[] => [
  { path: 'config.toml', text: operatorToml(plan, operator), mode: 0o600 },
  { path: `${plan.pair}/ca.pem`, text: tls.ca, mode: 0o644 },
  { path: `${plan.pair}/${operator.name}.key`, text: tls.key, mode: 0o600 },
  { path: `${plan.pair}/${operator.name}.pem`, text: tls.certificate, mode: 0o644 },
];
