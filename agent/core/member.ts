import type { AuditAsk } from './audit/audit.ts';
import type { LinePage } from './lines.ts';
import type { InspectedCertificate, ServerReading } from './answers.ts';
import type { Inspection } from './doctor/inspection.ts';
import type { DrillMeans } from './drill.ts';
import type { EventsAsk } from './events/events.ts';
import type { PushPrepare, PushReading, PushStep } from './deploy/push-messages.ts';
import type { DeployAnswer, DeployState } from './deploy/deployments.ts';
import type { ConfigReading } from './haproxy-config/reading.ts';
import type { OwnerChange } from './history.ts';
import type { Intent } from './model.ts';
import type { TestedTarget } from './notify/notify.ts';
import type { ShowReply } from './show-commands.ts';
import type { SwapStanding } from './certs/swap.ts';
import type { SwapPrepare, SwapReading } from './certs/swap-messages.ts';

/**
 * One node as the others use it, and as its own agent does: this one directly, the others over
 * their agents. What nodes ask of each other is listed here and nowhere else. Calls throw
 * ActFailure: the node's own, or 'unreachable' where it did not hear (a reading: did not answer),
 * or 'result-unknown' where a change was sent and no answer came.
 */
export interface Member {
  readonly node: string;
  /** Resolves once they are on that node's disk; `newer` wins over what was sent. */
  storeIntents(intents: readonly Intent[]): Promise<{ readonly newer: readonly Intent[] }>;
  /** Of every backend where none is named; 'not-found' where the named one is not. */
  /** `instance` is not read so far: a host has one HAProxy, and its name is empty. */
  findServers(instance: string, backend: string): Promise<readonly ServerReading[]>;
  shutSessions(instance: string, backend: string, server: string): Promise<void>;
  /** The reply of its HAProxy; 'usage' for a command that show-commands.ts does not let through. */
  show(command: string): Promise<ShowReply>;
  /** The configuration of its HAProxy, secrets hashed with `key`: haproxy-config/reading.ts. */
  readConfig(key: Uint8Array): Promise<ConfigReading>;
  /** Whether its HAProxy takes a signed configuration (CMS in DER); installs nothing. */
  checkConfig(message: Uint8Array): Promise<DeployAnswer>;
  pushPrepare(push: PushPrepare): Promise<PushReading>;
  pushStep(pushId: string, step: PushStep): Promise<void>;
  pushState(pushId: string, number: number): Promise<SwapStanding>;
  /** What was pushed to it; 'failed' where root does not say. */
  deployState(): Promise<DeployState>;
  /**
   * Asks that node's ACME responder itself; the addresses that answered rightly, 'failed' where
   * one does not. '' asks whether it answers.
   */
  checkChallenge(token: string): Promise<readonly string[]>;
  /** The key authorization in that node's own webroot; '' where it has none. */
  findChallenge(token: string): Promise<string>;
  /** How addresses came to that node, the newest last. */
  history(): Promise<readonly OwnerChange[]>;
  swapPrepare(swap: SwapPrepare): Promise<SwapReading>;
  swapCommit(swapId: string): Promise<SwapReading>;
  swapAbort(swapId: string): Promise<SwapReading>;
  swapFinish(swapId: string): Promise<SwapReading>;
  swapState(swapId: string): Promise<SwapStanding>;
  /** As PEM; 'not-found' where this node has another bundle under that name. */
  fetchBundle(name: string, sha256: string): Promise<string>;
  /** `served`: with a TLS connect to its listeners. */
  inspectCertificates(served: boolean): Promise<readonly InspectedCertificate[]>;
  /**
   * PEM revocation lists of the CA, in force and on that node's disk once it resolves; false: it had
   * them. 'conflict' for one that is older than what it has, 'failed' for one nobody it trusts signed.
   */
  storeRevocations(list: string): Promise<boolean>;
  /**
   * Closes the required frontends of its HAProxy for so long at most, ms, for the drill that is on
   * record for it; null: as is safe on its system. What it resolves to is how it was done.
   */
  closeFrontends(means: DrillMeans | null, leaseMs: number): Promise<DrillMeans>;
  /** Opens them again; done twice it changes nothing. */
  openFrontends(): Promise<void>;
  /**
   * Ends its agent for the drill that is on record for it, as service(8) does, where somebody starts it
   * again; resolves before it ends.
   */
  endAgent(): Promise<void>;
  /** Lines of its audit log; 'failed' where it cannot be read. */
  audit(ask: AuditAsk): Promise<LinePage>;
  /** Events of that node; 'failed' where its record cannot be read. */
  events(ask: EventsAsk): Promise<LinePage>;
  /** Sends a test to that node's target of this name; '' to each. Of a name it has not: none. */
  testNotify(target: string): Promise<readonly TestedTarget[]>;
  /** Looks at its host, read only; each part that could not be looked at says so. */
  inspect(): Promise<Inspection>;
}
