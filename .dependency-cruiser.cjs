/** The architecture, as rules a machine can check. @type {import('dependency-cruiser').IConfiguration} */

/** Who may know whom. A lib that is not listed is a neighbour: it knows events and authorizer. */
const KNOWS = {
  keyring: [],
  access: [],
  events: ['keyring'],
  broker: ['events'],
  wechat: ['events', 'keyring', 'access'],
  authorizer: ['events', 'wechat', 'keyring', 'access'],
};
const neighbours = `^libs/(?!(?:${Object.keys(KNOWS).join('|')})/)([^/]+)/`;

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'libs-are-entered-by-index',
      comment: 'What index.ts does not export is private.',
      severity: 'error',
      from: { path: '^(?:apps|libs)/([^/]+)/' },
      to: { path: '^libs/', pathNot: ['^libs/$1/', '^libs/[^/]+/src/index\\.ts$', '^libs/[^/]+/src/testing\\.ts$'] },
    },
    ...Object.entries(KNOWS).map(([lib, known]) => ({
      name: `${lib}-knows-${known.join('-') || 'nobody'}`,
      comment: 'Dependencies run one way. Another one needs a decision record first.',
      severity: 'error',
      from: { path: `^libs/${lib}/` },
      to: { path: '^libs/', pathNot: [lib, ...known].map((name) => `^libs/${name}/`) },
    })),
    {
      name: 'neighbours-know-events-and-authorizer',
      severity: 'error',
      from: { path: neighbours },
      to: { path: '^libs/', pathNot: ['^libs/$1/', '^libs/events/', '^libs/authorizer/'] },
    },
    { name: 'libs-do-not-know-apps', severity: 'error', from: { path: '^libs/' }, to: { path: '^apps/' } },
    {
      name: 'apps-do-not-know-each-other',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'sandbox-shares-no-code',
      comment: 'It stands in for WeChat: two implementations of the protocol check each other.',
      severity: 'error',
      from: { path: '^apps/sandbox/' },
      to: { path: '^libs/' },
    },
    {
      name: 'console-takes-types-only',
      comment: 'It runs in a browser: of what the API is made of, it knows the shape of the answers.',
      severity: 'error',
      from: { path: '^apps/console/' },
      to: { path: '^libs/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'source-does-not-know-tests',
      severity: 'error',
      from: { path: '^(?:apps|libs)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^test/|\\.spec\\.ts$' },
    },
    {
      name: 'no-undeclared-or-dev-dependencies',
      comment: 'What the console needs is in its bundle.',
      severity: 'error',
      from: { path: '^(?:apps|libs)/', pathNot: '\\.spec\\.ts$|^apps/console/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'undetermined'], pathNot: '^node:' },
    },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, pathNot: '\\.d\\.ts$' }, to: {} },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
  },
};
