import { expect, test } from 'vitest';
import { withoutFloods } from './floods.ts';
import { silentLogger } from './logger.ts';

function world() {
  const lines: { level: string; fields: object; message: string }[] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message });
  let nowMs = 0;
  const target = { ...silentLogger, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  return { lines, log: withoutFloods(target, () => nowMs), pass: (ms: number) => void (nowMs += ms) };
}

test('withoutFloods() shows the first lines of a message, and later how many were left out', () => {
  const { lines, log, pass } = world();
  for (let key = 0; key < 100; key++) log.warn({ key }, 'Reconcile failed');
  log.info({}, 'Something else');
  expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(30);
  expect(lines.filter(({ level }) => level === 'debug')).toHaveLength(70);
  expect(lines.at(-1)).toEqual({ level: 'info', fields: {}, message: 'Something else' });
  pass(11_000);
  log.warn({ key: 'again' }, 'Reconcile failed');
  log.warn({ key: 'once more' }, 'Reconcile failed');
  expect(lines.slice(-2).map(({ fields }) => fields)).toEqual([{ key: 'again', leftOut: 70 }, { key: 'once more' }]);
});

test('withoutFloods() leaves out no error', () => {
  const { lines, log } = world();
  for (let count = 0; count < 100; count++) log.error({ count }, 'Bad');
  expect(lines.filter(({ level }) => level === 'error')).toHaveLength(100);
});
