/** What the verbs that talk to no agent need; bundled apart, because the others start faster without it. */
export { pkiInit, pkiIssue, pkiList } from '../pki/main.ts';
export { setup } from './main.ts';
