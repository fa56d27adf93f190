import test from 'ava';
import { turns } from '../../agent/privilege/turns.ts';

function recorded() {
  const written: string[] = [];
  return { written, turn: turns((text) => written.push(String(text))) };
}

test('requests without content are written at once, one after the other', (t) => {
  const { written, turn } = recorded();
  turn.add(1, '1 advertise', '');
  turn.add(2, '2 allow 1', '');
  t.deepEqual(written, ['1 advertise\n', '2 allow 1\n']);
});

test('nothing follows a request with content until that is answered, and then in the order asked', (t) => {
  const { written, turn } = recorded();
  turn.add(1, '1 check', '');
  turn.add(2, '2 cert-try /c/a.pem 3', 'abc');
  turn.add(3, '3 cert-try /c/b.pem 3', 'def');
  turn.add(4, '4 pf-info', '');
  const begun = ['1 check\n', '2 cert-try /c/a.pem 3\nabc'];
  t.deepEqual(written, begun);
  turn.settled(1);
  t.deepEqual(written, begun);
  turn.settled(2);
  t.deepEqual(written, [...begun, '3 cert-try /c/b.pem 3\ndef']);
  turn.settled(3);
  t.deepEqual(written.slice(3), ['4 pf-info\n']);
});

test('content that is bytes is written as such, behind its line', (t) => {
  const written: unknown[] = [];
  turns((text) => written.push(text)).add(1, '1 deploy-check 2', Uint8Array.of(0x30, 0xff));
  t.deepEqual(written, [Buffer.from('1 deploy-check 2\n0\u00ff', 'latin1')]);
});

test('a request whose time is up before its turn is never written', (t) => {
  const { written, turn } = recorded();
  turn.add(1, '1 cert-write /c/a.pem 1', 'a');
  turn.add(2, '2 cert-write /c/b.pem 1', 'b');
  turn.settled(2);
  turn.settled(1);
  turn.add(3, '3 advertise', '');
  t.deepEqual(written, ['1 cert-write /c/a.pem 1\na', '3 advertise\n']);
});
