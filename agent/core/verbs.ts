import type {
  AutomationAct,
  ChallengeAct,
  ConfigPushAct,
  MaintenanceAct,
  MoveAct,
  PushAct,
  RevocationAct,
  RollbackAct,
  ServersAct,
  WeightAct,
} from './acts.ts';
import type { AuditAsk } from './audit/audit.ts';
import type { LinesAnswer } from './lines.ts';
import type { Certificates, ExplainAnswer, ServersAnswer, Status } from './answers.ts';
import type { DrillAct, DrillSeenAct } from './drill.ts';
import type { DoctorAnswer, DoctorAsk } from './doctor/finding.ts';
import type { EventsAsk } from './events/events.ts';
import type { ConfigVersions } from './deploy/versions.ts';
import type { ConfigChecked } from './deploy/checked.ts';
import type { ConfigAnswer, ConfigAsk } from './haproxy-config/reading.ts';
import type { History } from './history.ts';
import type { NotifyTested } from './notify/notify.ts';
import type { ActResult, Progress } from './results.ts';
import type { ShowAnswer } from './show-commands.ts';

/** Hears each step of an act once it is done. */
export type Report = (progress: Progress) => void;

/**
 * What operators can ask of an agent, on both sides of the wire: the agent carries it out, proxyctl
 * calls it. Calls throw ActFailure. An act goes on when its client leaves; who asks stands in its header.
 */
export interface ControlVerbs {
  status(): Promise<Status>;
  /** Of these addresses; empty: of all. */
  explain(addresses: readonly string[]): Promise<ExplainAnswer>;
  /** `limit`: the newest so many; null: all. */
  history(addresses: readonly string[], limit: number | null): Promise<History>;
  doctor(ask: DoctorAsk): Promise<DoctorAnswer>;
  move(act: MoveAct, report: Report): Promise<ActResult>;
  setMaintenance(act: MaintenanceAct, report: Report): Promise<ActResult>;
  setAutomation(act: AutomationAct, report: Report): Promise<ActResult>;
  setServers(act: ServersAct, report: Report): Promise<ActResult>;
  setWeights(act: WeightAct, report: Report): Promise<ActResult>;
  /** Null: of every backend. */
  servers(backend: string | null): Promise<ServersAnswer>;
  /** A command of show-commands.ts, to every node's HAProxy. */
  show(command: string): Promise<ShowAnswer>;
  /** HAProxy's configuration of every node, without its secrets. */
  readConfig(ask: ConfigAsk): Promise<ConfigAnswer>;
  /** Whether each node's HAProxy takes a configuration that an operator has signed (CMS in DER). */
  checkConfig(message: Uint8Array): Promise<ConfigChecked>;
  pushConfig(act: ConfigPushAct, report: Report): Promise<ActResult>;
  /** What was pushed to each node, by whom and why. */
  configVersions(): Promise<ConfigVersions>;
  setChallenge(act: ChallengeAct, report: Report): Promise<ActResult>;
  pushCertificate(act: PushAct, report: Report): Promise<ActResult>;
  rollbackCertificates(act: RollbackAct, report: Report): Promise<ActResult>;
  /** Who it names is out at once, on every node in touch. */
  publishRevocations(act: RevocationAct, report: Report): Promise<ActResult>;
  /** Lines of every node's audit log, the newest last. */
  audit(ask: AuditAsk): Promise<LinesAnswer>;
  /** Events of every node, or of those named, the newest last. */
  events(ask: EventsAsk): Promise<LinesAnswer>;
  /** Sends a test to the targets of this name on every node; '' to all. */
  testNotify(target: string): Promise<NotifyTested>;
  /** `served`: with a TLS connect to the listeners of every node. */
  certificates(served: boolean): Promise<Certificates>;
  drill(act: DrillAct, report: Report): Promise<ActResult>;
  /** Of a drill that goes on at this agent; 'not-found' for any other. */
  drillSeen(act: DrillSeenAct, report: Report): Promise<ActResult>;
}
