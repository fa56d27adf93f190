/** What makes a drill end early, besides the bound on its outage. */
export const ABORTS = ['lost', 'alert'] as const;
export type Abort = (typeof ABORTS)[number];
