import { TestEnvironment } from 'jest-environment-node';

const ordinary = Function.prototype[Symbol.hasInstance];

/**
 * Jest runs tests in a context with globals of its own, while errors of node:fs and its like are made outside of it:
 * there `error instanceof Error` would be false, other than on a device. Here it is true.
 */
export default class OneErrorEnvironment extends TestEnvironment {
  constructor(...how) {
    super(...how);
    for (const outside of [Error, TypeError, RangeError, SyntaxError]) {
      const inside = this.global[outside.name];
      Object.defineProperty(inside, Symbol.hasInstance, {
        value(thing) {
          return ordinary.call(this, thing) || (this === inside && thing instanceof outside);
        },
      });
    }
  }
}
