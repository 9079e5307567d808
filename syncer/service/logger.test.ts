import { describe, expect, test } from 'vitest';
import { ApiError, ConnectionError } from '../model/errors.ts';
import { errorFields } from './logger.ts';

describe('errorFields() [CORE-25]', () => {
  test('tells what a server said, without a stack', () => {
    const error = new ApiError('PATCH …: exceeded quota', { status: 403, reason: 'Forbidden', retryAfterMs: 1 });
    expect(errorFields(error)).toEqual({
      name: 'ApiError',
      message: 'PATCH …: exceeded quota',
      status: 403,
      reason: 'Forbidden',
    });
  });

  test('does not quote what could not be parsed', () => {
    let cause: unknown;
    try {
      JSON.parse('{"data": {"password": "aHVudGVyMg==" x}}');
    } catch (error) {
      cause = error;
    }
    expect((cause as Error).message).toMatch(/Expected|Unexpected/u);
    const text = JSON.stringify(errorFields(new ConnectionError('GET …: the answer is not JSON', { cause })));
    expect(text).toContain('"cause":{"name":"SyntaxError","message":"not JSON"}');
    expect(text).not.toContain('aHVudGVy');
  });

  test('leaves out what an error carries besides', () => {
    const error = Object.assign(new Error('boom'), { request: { body: { data: 'aHVudGVyMg==' } } });
    expect(JSON.stringify(errorFields(error))).not.toContain('aHVudGVy');
    expect(errorFields(error)).toMatchObject({ message: 'boom', stack: expect.stringContaining('logger.test.ts') });
  });

  test('ends, however many causes there are', () => {
    const error = new Error('round and round');
    error.cause = error;
    expect(JSON.stringify(errorFields(error)).length).toBeLessThan(10_000);
  });
});
