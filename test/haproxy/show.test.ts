import test from 'ava';
import { ActFailure } from '../../agent/core/results.ts';
import { SHOW_LIMIT, SHOW_NAMES } from '../../agent/core/show-commands.ts';
import { RuntimeError } from '../../agent/haproxy/runtime.ts';
import { showing } from '../../agent/haproxy/show.ts';
import { startHaproxy } from './haproxy.ts';
import { says, scriptedSocket } from './scripted.ts';

/** Of this HAProxy, a reply or that it does not know the command. */
const UNKNOWN = /^show [\w -]+: Unknown command/;

test('every command that is let through has a whole reply, or this HAProxy does not know it', async (t) => {
  const haproxy = await startHaproxy(t);
  const show = showing(() => haproxy.socketPath);
  const replies = await Promise.all(
    SHOW_NAMES.map(async (name) => {
      try {
        const { bytes, cut } = await show(`show ${name}`);
        return cut || bytes.length === 0 ? `${name}: ${bytes.length}` : '';
      } catch (error) {
        return error instanceof RuntimeError && UNKNOWN.test(error.message) ? '' : String(error);
      }
    }),
  );
  t.deepEqual(
    replies.filter((reply) => reply !== ''),
    [],
  );
  const { bytes } = await show('show servers state');
  t.regex(Buffer.from(bytes).toString(), /^1\n# be_id be_name srv_id srv_name /);
});

test('what is not let through never reaches the socket', async (t) => {
  const { path, requests } = await scriptedSocket(t, says('secret\n\n'));
  const show = showing(() => path);
  for (const command of ['show env', 'show info;show env', 'show info\nshow env'])
    await t.throwsAsync(show(command), { instanceOf: ActFailure });
  t.deepEqual(requests.items, []);
});

test('a longer reply than the limit is cut and said, one that ends in the middle is a failure', async (t) => {
  const long = await scriptedSocket(t, says(`${'x'.repeat(SHOW_LIMIT + 1)}\n\n`));
  const { bytes, cut } = await showing(() => long.path)('show stat');
  t.deepEqual([bytes.length, cut], [SHOW_LIMIT, true]);
  const short = await scriptedSocket(t, says('Name: HAPro'));
  const error = await t.throwsAsync(showing(() => short.path)('show info'), {
    instanceOf: RuntimeError,
  });
  t.deepEqual(error?.failure, { kind: 'cut', bytes: 11 });
});

test('two at once are asked one after the other', async (t) => {
  let open = 0;
  let most = 0;
  const { path } = await scriptedSocket(t, (_request, socket) => {
    most = Math.max(most, ++open);
    setImmediate(() => {
      open--;
      socket.end('a\n\n');
    });
  });
  const show = showing(() => path);
  await Promise.all(['show info', 'show stat', 'show pools'].map(show));
  t.is(most, 1);
});
