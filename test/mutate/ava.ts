import { isDeepStrictEqual } from 'node:util';

/**
 * Stands in for ava where mutants are tried: the same tests in one process, without ava's start of
 * a second each. The first failure ends the process with 1, after what the test wants put away.
 */
type Body = (t: unknown) => unknown;
interface Entry {
  readonly title: string;
  readonly body: Body;
}
const waiting = {
  before: [] as Body[],
  serial: [] as Entry[],
  together: [] as Entry[],
  after: [] as Body[],
};

/** Runs what the modules imported since the last call have declared; false when something failed. */
export async function runDeclared(): Promise<boolean> {
  const { before, serial, together, after } = { ...waiting };
  Object.assign(waiting, { before: [], serial: [], together: [], after: [] });
  let held = await each(before.map((body) => ({ title: 'before', body })));
  held &&= await each(serial);
  if (held) held = (await Promise.all(together.map(run))).every(Boolean);
  return (await each(after.map((body) => ({ title: 'after', body })))) && held;
}

async function each(entries: readonly Entry[]): Promise<boolean> {
  for (const entry of entries) if (!(await run(entry))) return false;
  return true;
}

async function run({ title, body }: Entry): Promise<boolean> {
  const teardowns: (() => unknown)[] = [];
  let failure: unknown = null;
  const t = assertions(title, teardowns, (error) => (failure ??= error));
  try {
    await body(t);
  } catch (error) {
    failure ??= error ?? new Error('rejected with nothing');
  }
  for (const end of teardowns.reverse()) {
    try {
      await end();
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== null) console.log(`not ok: ${title}\n${String((failure as Error).stack)}`);
  return failure === null;
}

interface Wanted {
  readonly instanceOf?: new (...args: never[]) => Error;
  readonly is?: unknown;
  readonly message?: string | RegExp | ((message: string) => boolean);
  readonly name?: string;
  readonly code?: string | number;
  readonly any?: boolean;
}

function assertions(title: string, teardowns: (() => unknown)[], note: (error: Error) => void) {
  const hold = (value: boolean, what: string): void => {
    if (value) return;
    const error = new Error(what);
    note(error);
    throw error;
  };
  const caught = (error: unknown, wanted: Wanted = {}): unknown => {
    hold(error instanceof Error || wanted.any === true, 'thrown, but no Error');
    const { message, name, code } = error as NodeJS.ErrnoException;
    if (wanted.instanceOf) hold(error instanceof wanted.instanceOf, `${String(error)}: class`);
    if ('is' in wanted) hold(error === wanted.is, `${String(error)}: another one`);
    if (wanted.name !== undefined) hold(name === wanted.name, `name ${name}`);
    if (wanted.code !== undefined) hold(code === wanted.code, `code ${code}`);
    if (typeof wanted.message === 'string') hold(message === wanted.message, `said ${message}`);
    if (wanted.message instanceof RegExp) hold(wanted.message.test(message), `said ${message}`);
    if (typeof wanted.message === 'function') hold(wanted.message(message), `said ${message}`);
    return error;
  };
  const throws = (body: () => unknown, wanted?: Wanted): unknown => {
    try {
      body();
    } catch (error) {
      return caught(error, wanted);
    }
    return hold(false, 'nothing thrown');
  };
  const settled = async (body: unknown): Promise<{ error?: unknown; value?: unknown }> => {
    try {
      return { value: await (typeof body === 'function' ? body() : body) };
    } catch (error) {
      return { error };
    }
  };
  return {
    title,
    context: {},
    log: () => {},
    timeout: () => {},
    plan: () => {},
    pass: () => {},
    teardown: (end: () => unknown) => void teardowns.push(end),
    fail: (what = 'fail') => hold(false, what),
    is: (a: unknown, b: unknown) => hold(Object.is(a, b), `is: ${String(a)}, ${String(b)}`),
    not: (a: unknown, b: unknown) => hold(!Object.is(a, b), 'not'),
    true: (a: unknown) => hold(a === true, 'true'),
    false: (a: unknown) => hold(a === false, 'false'),
    truthy: (a: unknown) => hold(Boolean(a), 'truthy'),
    falsy: (a: unknown) => hold(!a, 'falsy'),
    deepEqual: (a: unknown, b: unknown) => hold(isDeepStrictEqual(a, b), 'deepEqual'),
    notDeepEqual: (a: unknown, b: unknown) => hold(!isDeepStrictEqual(a, b), 'notDeepEqual'),
    like: (a: unknown, b: unknown) => hold(isLike(a, b), 'like'),
    regex: (a: string, b: RegExp) => hold(b.test(a), `regex: ${a}`),
    notRegex: (a: string, b: RegExp) => hold(!b.test(a), `notRegex: ${a}`),
    throws,
    notThrows: (body: () => unknown) => void body(),
    throwsAsync: async (body: unknown, wanted?: Wanted) => {
      const end = await settled(body);
      hold('error' in end, 'nothing thrown');
      return caught(end.error, wanted);
    },
    notThrowsAsync: async (body: unknown) => hold(!('error' in (await settled(body))), 'thrown'),
  };
}

/** Whether everything the selector names is the same in the value. */
function isLike(value: unknown, selector: unknown): boolean {
  if (typeof selector !== 'object' || selector === null) return Object.is(value, selector);
  if (typeof value !== 'object' || value === null) return false;
  const plain = Object.getPrototypeOf(selector) === Object.prototype || Array.isArray(selector);
  if (!plain) return isDeepStrictEqual(value, selector);
  return Object.entries(selector).every(([name, wanted]) =>
    isLike((value as Record<string, unknown>)[name], wanted),
  );
}

const declare =
  (list: 'serial' | 'together') =>
  (title: string, body: Body): void => {
    waiting[list].push({ title, body });
  };
const hook =
  (list: 'before' | 'after') =>
  (...args: (string | Body)[]): void => {
    waiting[list].push(args.at(-1) as Body);
  };
const skip = (): void => {};
const before = Object.assign(hook('before'), {});
const after = Object.assign(hook('after'), { always: hook('after') });

export default Object.assign(declare('together'), {
  before,
  after,
  skip,
  serial: Object.assign(declare('serial'), { before, after, skip }),
});
