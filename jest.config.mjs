const shared = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json'],
  transform: { '\\.(ts|js|mjs|cjs)$': '<rootDir>/test/jest/swc-any.cjs' },
  transformIgnorePatterns: [],
  moduleNameMapper: {
    '^@app/([^/]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': ['$1', '$1.js'],
  },
};

export default {
  projects: [
    { ...shared, displayName: 'unit', roots: ['<rootDir>/apps', '<rootDir>/libs'], testRegex: '\\.spec\\.ts$' },
    {
      ...shared,
      displayName: 'e2e',
      roots: ['<rootDir>/test'],
      testRegex: '\\.e2e-spec\\.ts$',
      globalSetup: '<rootDir>/test/jest/global-setup.ts',
      setupFilesAfterEnv: ['<rootDir>/test/jest/late.ts'],
      globalTeardown: '<rootDir>/test/jest/global-teardown.ts',
    },
  ],
  collectCoverageFrom: ['apps/**/*.ts', 'libs/**/*.ts', '!**/*.spec.ts', '!**/main.ts'],
  coverageProvider: 'v8',
  coverageDirectory: 'coverage',
  testTimeout: 30_000,
  maxWorkers: 2,
};
