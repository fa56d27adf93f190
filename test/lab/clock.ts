import { readFileSync } from 'node:fs';

// Loaded before the agent by the lab alone (NODE_OPTIONS=--import): a wall clock that is wrong
// by the seconds in the file LAB_CLOCK, looked at four times a second. Monotonic time stays.
const path = process.env['LAB_CLOCK'];
const RealDate = Date;
let aheadMs = 0;

function look(): void {
  try {
    aheadMs = Number(readFileSync(path ?? '', 'utf8')) * 1000;
  } catch {
    aheadMs = 0;
  }
}

if (path !== undefined) {
  look();
  setInterval(look, 250).unref();
  globalThis.Date = class extends RealDate {
    constructor(...args: readonly unknown[]) {
      if (args.length === 0) super(RealDate.now() + aheadMs);
      else super(...(args as [number]));
    }

    static override now(): number {
      return RealDate.now() + aheadMs;
    }
  } as DateConstructor;
}
