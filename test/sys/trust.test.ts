import test from 'ava';
import { isUnmapped } from '../../agent/sys/trust.ts';

test('an owner that a user namespace does not map is nobody in it; nobody himself is one where all are', (t) => {
  t.true(isUnmapped(65_534, '         0       1000          1\n'));
  t.false(isUnmapped(65_534, '         0          0 4294967295\n'));
  t.false(isUnmapped(65_534, '0 1000 1\n1 100000 65535\n'));
  t.false(isUnmapped(1001, '0 1000 1\n'));
  t.false(isUnmapped(65_534, ''));
});
