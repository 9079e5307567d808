import { expect, test } from 'vitest';
import { attempt, CommandError, run } from './command.ts';

const node = process.execPath;

test('run() gives back standard output and hands over input and environment', async () => {
  const program = "process.stdin.on('data', (text) => process.stdout.write(process.env.GREETING + text))";
  expect(await run(node, ['-e', program], { input: 'you', env: { GREETING: 'hello ' } })).toBe('hello you');
});

test('run() fails with command line, exit code and last words', async () => {
  const failing = run(node, ['-e', "console.error('no such thing'); process.exit(3)"]);
  await expect(failing).rejects.toThrow(CommandError);
  await expect(failing).rejects.toThrow(/ -e .* ended with exit code 3:\nno such thing/);
});

test('attempt() gives back how a program ended, also when it was ended', async () => {
  expect(await attempt(node, ['-e', 'process.exit(2)'])).toMatchObject({ exitCode: 2 });
  expect(await attempt(node, ['-e', 'setInterval(() => {}, 1000)'], { timeoutMs: 100 })).toMatchObject({
    exitCode: 124,
  });
});

test('attempt() tells each line as it comes', async () => {
  const lines: string[] = [];
  await attempt(node, ['-e', "console.log('one\\ntwo')"], { onLine: (line) => lines.push(line) });
  expect(lines).toEqual(['one', 'two']);
});

test('attempt() rejects for a program that is not there', async () => {
  await expect(attempt('/nowhere/program', [])).rejects.toThrow(/ENOENT/);
});
