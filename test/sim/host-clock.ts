/** What one host's clocks are ahead of the world's: its uptime, and the time of day it believes in. */
export interface HostClock {
  monotonicMs: number;
  wallMs: number;
}
