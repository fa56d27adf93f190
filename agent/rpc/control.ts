import type { ActResult, Caller, MoveAct, Progress, PushAct, ServersAct } from '../core/acts.ts';
import type { Status } from '../core/acts.ts';

/** What operators can ask of this agent; the handlers only translate. An act goes on when the client leaves. */
export interface ControlVerbs {
  status(): Promise<Status>;
  move(act: MoveAct, caller: Caller, report: (progress: Progress) => void): Promise<ActResult>;
  setServers(
    act: ServersAct,
    caller: Caller,
    report: (progress: Progress) => void,
  ): Promise<ActResult>;
  pushCertificate(
    act: PushAct,
    caller: Caller,
    report: (progress: Progress) => void,
  ): Promise<ActResult>;
}
