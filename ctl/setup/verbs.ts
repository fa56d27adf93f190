/** What the verbs that talk to no agent need; bundled apart, because the others start faster without it. */
export { pkiInit, pkiIssue, pkiList, pkiRenew } from '../pki/main.ts';
export { pkiApprove, pkiEnroll, pkiRevoke, pkiRotate } from '../pki/verbs.ts';
export { setup } from './main.ts';
