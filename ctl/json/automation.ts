/** The `result` of `pause` and `resume`. */
export interface AutomationJson {
  readonly paused: boolean;
}

/** Whether moves that nobody asks for are off now. */
export const automationResult = (paused: boolean): AutomationJson => ({ paused });
