import type { VerbHelp } from './verb-help.ts';

const MADE = '0 done, 1 failed with nothing changed, 2 something of it is wrong.';
const SENT =
  '0 in force on every node, 4 not your role, 6 on some nodes only, 7 cut off before the answer, 10 no agent was reached.';

/** Of the verbs that install a pair and keep its certificates: they ask no agent, or none at first. */
export const OFFLINE_HELP: Readonly<Record<string, VerbHelp>> = {
  setup: {
    says: "Makes both hosts' configuration, the pair's CA and its certificates from a short answer file, and puts them in place on a host with --write. Without --out it only checks the answers. Nothing is restarted.",
    examples: [
      'setup --example > answers.toml',
      'setup answers.toml',
      'setup answers.toml --out web',
      'setup --write web/haproxy01 --root /tmp/try',
    ],
    exits:
      '0 written, or as it should be already, 1 failed with nothing changed, 2 the answers or options are wrong (every mistake is said), 3 --write would change something and was not told to, 6 written in part (the files are named).',
  },
  'pki init': {
    says: 'Makes the CA of a pair, once. Keep the directory: its ca.key issues everything else.',
    examples: ['pki init --pair web --dir web/pki'],
    exits: '0 made, 2 something of it is wrong, 9 there is a CA already.',
  },
  'pki issue': {
    says: 'Issues a certificate for a node or an operator, or renews it. KIND is node or operator; an operator has a role.',
    examples: [
      'pki issue node haproxy03 --dir web/pki --out haproxy03',
      'pki issue operator ben --role viewer --dir web/pki --out ben',
    ],
    exits: MADE,
  },
  'pki renew': {
    says: 'Issues certificates anew, each for the name, role and kind it has, with new keys unless told otherwise. Bring them to where they are used.',
    examples: [
      'pki renew haproxy01 --dir web/pki --out haproxy01',
      'pki renew anna --days 1 --dir web/pki --out anna',
      'pki renew --all --dir web/pki',
    ],
    exits: MADE,
  },
  'pki list': {
    says: 'Shows what was issued, for whom, with which role, and until when.',
    examples: ['pki list --dir web/pki'],
    exits: '0 shown, 2 there is no CA in that directory.',
  },
  'pki enroll': {
    says: 'Makes a key where it will be used, which it never leaves, and a request for its certificate. Say the token that it prints by another way than you send the request.',
    examples: ['pki enroll operator anna --pair web --out anna --passphrase'],
    exits: '0 made, 2 something of it is wrong, 9 there is a key already.',
  },
  'pki approve': {
    says: 'Issues the certificate for a request of pki enroll, once, where the CA is. The role is what you say here, whatever the request has.',
    examples: [
      'pki approve anna.csr --token K7Q2-9FXD-04TM-WZ3C --role operator \\\n    --dir web/pki --out back',
    ],
    exits:
      '0 issued, 2 the request is none, or of another pair, 4 the token is not that of this request, 9 it was approved before.',
  },
  'pki revoke': {
    says: 'Takes every certificate of a name out: writes a new revocation list, and sends it through the agent of your context to every node. What such a certificate has open is cut.',
    examples: ['pki revoke anna --dir web/pki', 'pki revoke anna --dir web/pki --offline'],
    exits: `${SENT.slice(0, -1)}; the list is written then, too; 8 nothing was issued for that name.`,
  },
  'pki publish': {
    says: 'Sends a revocation list that is written already to every node. Only a newer list of a trusted CA is taken.',
    examples: ['pki publish --dir web/pki', 'pki publish crl.pem'],
    exits: SENT,
  },
  'pki rotate-ca': {
    says: 'Replaces the CA in three steps without a failed call: begin, issue, finish. After each, copy what it names to every host and operator and reload the agents.',
    examples: [
      'pki rotate-ca begin --dir web/pki',
      'pki rotate-ca issue --dir web/pki',
      'pki rotate-ca finish --dir web/pki',
    ],
    exits:
      '0 done, 1 failed with nothing changed, 2 no such step, 9 not the turn of that step, or somebody has a certificate of the old CA only.',
  },
  completion: {
    examples: [],
    exits: '0 printed, 2 no such shell.',
  },
};
