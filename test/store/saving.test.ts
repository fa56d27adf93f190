import test from 'ava';
import { saving } from '../../agent/store/saving.ts';
import { FakeClock } from '../fake-clock.ts';

function disk() {
  const clock = new FakeClock({ nowMs: 0, wallMs: 0 });
  const written: object[] = [];
  const shown: string[] = [];
  const world = { full: false };
  const save = saving({
    store: {
      save: (change) => {
        if (world.full) return Promise.reject(new Error('no space left'));
        written.push(change);
        return Promise.resolve();
      },
    },
    problems: {
      raise: (subject, cause) => shown.push(`${subject}: ${cause}`),
      clear: (subject) => shown.push(`${subject} solved`),
    },
    clock,
    remedy: 'make room',
  });
  return { save, clock, written, shown, world };
}

test('what a disk refused is told to the caller, shown, and tried again until it is stored', async (t) => {
  const { save, clock, written, shown, world } = disk();
  world.full = true;
  await t.throwsAsync(save({ fenceMine: true }), { message: 'no space left' });
  for (let time = 0; time < 2; time++) {
    await clock.advance(5000);
  }
  world.full = false;
  await clock.advance(5000);
  await clock.advance(60_000);
  const refused = 'state: the state cannot be written: no space left';
  t.deepEqual([written, shown], [[{}], [refused, refused, refused, 'state solved']]);
});

test('a save that succeeds ends the retries', async (t) => {
  const { save, clock, written, world } = disk();
  world.full = true;
  await t.throwsAsync(save({ fenceMine: true }));
  world.full = false;
  await save({ fenceMine: false });
  await clock.advance(60_000);
  t.deepEqual(written, [{ fenceMine: false }]);
});
