/** Methods that have another name for people than their own, by that: it is what proxyctl calls them. */
const NAMES: Readonly<Record<string, string>> = {
  setMaintenance: 'maintenance',
  setAutomation: 'automation',
  setServers: 'servers',
  setWeights: 'weight',
  setChallenge: 'acme',
  pushCertificates: 'certificates',
  rollbackCertificates: 'certificates',
  publishRevocations: 'revocations',
  show: 'haproxy show',
  readConfig: 'config',
  checkConfig: 'config check',
  pushConfig: 'config push',
  configVersions: 'config history',
  fetchDeployState: 'config history',
  testNotify: 'notify test',
  fetchEvents: 'events',
  check: 'health',
  watch: 'health',
  fetchHistory: 'history',
  fetchAudit: 'audit',
};

/** What a method of any service is called in sentences and on record: "servers", "store intents". */
export const calledAs = (method: string): string =>
  NAMES[method] ?? method.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
