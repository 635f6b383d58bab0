import { expect } from '@jest/globals';
import type { Answer } from './http-call.js';

/** A transport fault: its HTTP status also stands in the envelope, whose message names what was wrong. */
export function expectFault({ status, json }: Answer, wanted: number, words: string | RegExp): void {
  expect(status).toBe(wanted);
  expect(json).toEqual({ code: wanted, msg: expect.stringMatching(/^[A-Z_]+: /) });
  expect(json).toHaveProperty('msg', expect.stringMatching(words));
}
