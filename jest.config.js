/** Jest runs the built files: what is tested is, byte for byte, what child processes and devices run. */
export default {
  testEnvironment: '<rootDir>/jest.environment.js',
  roots: ['<rootDir>/dist/__tests__'],
  testMatch: ['**/*.test.js'],
  transform: {},
  testTimeout: 120_000,
  maxWorkers: 2,
};
