import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { freePort } from '../free-port.ts';
import { problems } from '../../agent/problems.ts';
import { startWeb } from '../../agent/web/web.ts';
import { FakeClock, settled } from '../fake-clock.ts';
import { NOW } from '../reports.ts';
import { PICTURE, WALL } from './pictures.ts';

async function world(t: ExecutionContext) {
  const port = await freePort();
  const clock = new FakeClock({ nowMs: NOW, wallMs: WALL });
  const asked = { servers: 0, events: 0 };
  const now = { status: PICTURE.status };
  const { servers, events } = PICTURE;
  if (servers === null || events === null) throw new Error('the picture is whole');
  const web = startWeb({
    place: { listen: [`127.0.0.1:${port}`], names: [] },
    clock,
    problems: problems(clock, () => undefined),
    status: () => now.status,
    certificates: () => PICTURE.certificates,
    servers: () => {
      asked.servers++;
      return Promise.resolve(servers);
    },
    events: () => {
      asked.events++;
      return Promise.resolve(events);
    },
  });
  t.teardown(() => web.close());
  const get = (path: string, method = 'GET'): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`, { method });
  /** An open stream of events, as it comes. */
  const watch = async (): Promise<IncomingMessage> => {
    const call = request({ port, host: '127.0.0.1', path: '/events', agent: false });
    t.teardown(() => call.destroy());
    call.on('error', () => undefined);
    call.end();
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    return response;
  };
  /** Asks as a browser does that was given this name. */
  const asking = async (host: string, path = '/'): Promise<[number, string]> => {
    const call = request({ port, host: '127.0.0.1', path, agent: false, headers: { host } });
    call.end();
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    return [answer.statusCode ?? 0, await text(answer)];
  };
  return { web, clock, asked, now, get, watch, asking, port };
}

/** The parts of the next event of a stream. */
async function next(stream: IncomingMessage): Promise<Readonly<Record<string, string>>> {
  let text = '';
  for (;;) {
    const [chunk] = (await once(stream, 'data')) as [Buffer];
    text += chunk.toString();
    if (text.endsWith('\n\n'))
      return JSON.parse(text.replace(/^data: /, '')) as Readonly<Record<string, string>>;
  }
}

test('the page and its two files are answered, strictly of its own', async (t) => {
  const { get } = await world(t);
  const rows = [];
  for (const path of ['/', '/?x=1', '/page.css', '/page.js', '/other', '/..%2f']) {
    const answer = await get(path);
    rows.push([path, answer.status, answer.headers.get('content-type')]);
    t.like(Object.fromEntries(answer.headers), {
      'cache-control': 'no-store',
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    const text = await answer.text();
    t.false(/https?:\/\/|style=|<style|\son\w+=|@import|url\(/.test(text), path);
  }
  t.deepEqual(rows, [
    ['/', 200, 'text/html; charset=utf-8'],
    ['/?x=1', 200, 'text/html; charset=utf-8'],
    ['/page.css', 200, 'text/css; charset=utf-8'],
    ['/page.js', 200, 'text/javascript; charset=utf-8'],
    ['/other', 404, 'text/plain; charset=utf-8'],
    ['/..%2f', 404, 'text/plain; charset=utf-8'],
  ]);
});

test('another name that leads here is not answered, until the configuration gives it', async (t) => {
  const { web, asked, asking, port } = await world(t);
  const refused = (host: string): [number, string] => [
    421,
    `this page is not answered to ${host}: ask for an address, for localhost, or for a name of [web] names in agent.toml\n`,
  ];
  for (const path of ['/', '/events', '/page.js', '/other'])
    t.deepEqual(await asking(`evil.example:${port}`, path), refused(`"evil.example:${port}"`));
  t.deepEqual(await asking('<b>"'), refused('"<b>\\""'));
  t.deepEqual(asked, { servers: 0, events: 0 });
  for (const host of [`127.0.0.1:${port}`, 'localhost', '[::1]'])
    t.is((await asking(host))[0], 200, host);
  t.is((await asking('haproxy01.example.net'))[0], 421);
  web.become({ listen: [`127.0.0.1:${port}`], names: ['haproxy01.example.net'] });
  t.is((await asking('haproxy01.example.net'))[0], 200);
});

test('it is only looked at: HEAD has no body, and no other method does anything', async (t) => {
  const { get, asked } = await world(t);
  const head = await get('/', 'HEAD');
  t.deepEqual([head.status, await head.text()], [200, '']);
  t.true(Number(head.headers.get('content-length')) > 1000);
  t.deepEqual([(await get('/events', 'HEAD')).status], [200]);
  const before = asked.servers;
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])
    t.deepEqual(
      [(await get('/', method)).status, (await get('/events', method)).headers.get('allow')],
      [405, 'GET, HEAD'],
    );
  t.is(asked.servers, before);
});

test('nodes are asked at most once in two seconds, whoever looks, and not at all while nobody does', async (t) => {
  const { get, asked, clock } = await world(t);
  t.deepEqual(asked, { servers: 0, events: 0 });
  await Promise.all(Array.from({ length: 10 }, () => get('/')));
  t.deepEqual(asked, { servers: 1, events: 1 });
  await clock.advance(1999);
  await get('/');
  t.deepEqual(asked, { servers: 1, events: 1 });
  await clock.advance(1);
  await get('/');
  t.deepEqual(asked, { servers: 2, events: 2 });
  await clock.advance(3_600_000);
  t.deepEqual(asked, { servers: 2, events: 2 });
});

test('who watches is told what has changed, each second, and nothing else', async (t) => {
  const { watch, clock, now, asked } = await world(t);
  const stream = await watch();
  t.is(stream.headers['content-type'], 'text/event-stream');
  const first = next(stream);
  await clock.advance(0);
  t.deepEqual(Object.keys(await first), [
    'title',
    'summary',
    'alerts',
    'addresses',
    'nodes',
    'servers',
    'certificates',
    'events',
  ]);
  // What the nodes were asked for.
  const second = next(stream);
  await clock.advance(1000);
  t.deepEqual(Object.keys(await second), ['summary', 'servers', 'events']);
  now.status = { ...now.status, alerts: [] };
  const third = next(stream);
  await clock.advance(1000);
  const told = await third;
  t.deepEqual([told['title'], told['alerts']], ['all well: web', '<p>There is no alert.</p>']);
  t.false('addresses' in told);
  const before = asked.servers;
  stream.destroy();
  await until(clock, () => clock.sleeping().length === 0);
  await clock.advance(60_000);
  t.is(asked.servers, before);
});

/** Steps a second on, with what is real in between, until it holds. */
async function until(clock: FakeClock, holds: () => boolean): Promise<void> {
  for (let step = 0; step < 10_000 && !holds(); step++) {
    await settled();
    if (step % 100 === 99) await clock.advance(1000);
  }
  if (!holds()) throw new Error('it never holds');
}

test('sixteen watch at once and the next is turned away, until one leaves', async (t) => {
  const { watch, get } = await world(t);
  const streams = [];
  for (let at = 0; at < 16; at++) streams.push(await watch());
  t.deepEqual(
    streams.map(({ statusCode }) => statusCode),
    Array(16).fill(200),
  );
  const turned = await get('/events');
  t.deepEqual(
    [turned.status, turned.headers.get('retry-after'), await turned.text()],
    [503, '10', '16 watch already\n'],
  );
  t.is((await get('/')).status, 200);
  streams[3]?.destroy();
  // The agent hears of it a turn or more later.
  let again = await watch();
  for (let more = 0; more < 100 && again.statusCode !== 200; more++) again = await watch();
  t.is(again.statusCode, 200);
});

test('who does not read is cut off, and the others go on', async (t) => {
  const { watch, clock, now } = await world(t);
  const [deaf, awake] = [await watch(), await watch()];
  deaf.pause();
  const seen = { bytes: 0, cut: '' };
  awake.on('data', (chunk: Buffer) => (seen.bytes += chunk.length));
  deaf.on('error', (error) => (seen.cut = error.message));
  // More than the system takes for a reader that sleeps: it is changed each second.
  const long = 'x'.repeat(3_000_000);
  for (let at = 0; at < 30; at++) {
    const alerts = now.status.alerts.map((one) => ({ ...one, text: `${at}${long}` }));
    now.status = { ...now.status, alerts };
    const before = seen.bytes;
    await clock.advance(1000);
    for (let turn = 0; turn < 2000 && seen.bytes === before; turn++) await settled();
  }
  deaf.resume();
  for (let turn = 0; turn < 100_000 && seen.cut === ''; turn++) await settled();
  t.is(seen.cut, 'aborted');
  t.false(awake.destroyed);
});
