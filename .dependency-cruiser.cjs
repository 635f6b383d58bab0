/** Data goes one way: HTTP → event → machine → actor → service → disk. Types count as much as values. */
module.exports = {
  forbidden: [
    {
      name: 'machines-stand-alone',
      comment: 'The machine has no effects: it knows xstate and itself.',
      severity: 'error',
      from: { path: '^machines/' },
      to: { pathNot: '^machines/|(^|/)node_modules/xstate/' },
    },
    {
      name: 'http-knows-no-service',
      comment: 'HTTP sends events and reads state, through http/updater-port.ts.',
      severity: 'error',
      from: { path: '^http/' },
      to: { path: '^(services|scripts)/' },
    },
    {
      name: 'http-needs-little',
      comment: 'Of the packages, HTTP needs express and ajv.',
      severity: 'error',
      from: { path: '^http/' },
      to: { path: '(^|/)node_modules/', pathNot: '(^|/)node_modules/(@types/(express|node)|express|ajv)/' },
    },
    {
      name: 'services-do-not-call-up',
      comment: 'Nothing calls back up.',
      severity: 'error',
      from: { path: '^services/' },
      to: { path: '^(http|scripts)/' },
    },
    {
      name: 'tests-are-imported-by-tests',
      severity: 'error',
      from: { pathNot: '^__tests__/' },
      to: { path: '^__tests__/' },
    },
    {
      name: 'adm-zip-on-workstations',
      comment: 'adm-zip reads an archive whole: it builds packages, it opens none on a device.',
      severity: 'error',
      from: { pathNot: '^(scripts|__tests__)/' },
      to: { path: '(^|/)node_modules/adm-zip/' },
    },
    {
      name: 'got-while-downloading',
      comment: 'got costs memory: it is loaded by the download alone.',
      severity: 'error',
      from: { pathNot: '^services/download' },
      to: { path: '(^|/)node_modules/got/' },
    },
    {
      name: 'pictures-are-laid-out-beforehand',
      comment: 'A device gets the finished picture: only the writer of docs lays one out.',
      severity: 'error',
      from: { pathNot: '^(scripts/write-docs\\.ts$|__tests__/)' },
      to: { path: '^scripts/picture/lay-out\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'pages-stand-alone',
      comment: 'What runs in a browser imports nothing but its like.',
      severity: 'error',
      from: { path: '^pages/' },
      to: { pathNot: '^pages/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nobody imports and that imports nothing is forgotten.',
      severity: 'error',
      from: { orphan: true, path: '^(machines|services|http|scripts)/' },
      to: {},
    },
    {
      name: 'dependencies-are-declared',
      comment:
        'What runs on a device stands in dependencies of package.json, not in devDependencies or nowhere.',
      severity: 'error',
      // Releases are packed, pictures laid out and tests read on a workstation.
      from: {
        path: '^(machines|services|http|scripts)/',
        pathNot: '^scripts/(?:release/|specification/|picture/lay-out\\.ts$)',
      },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'],
        dependencyTypesNot: ['type-only'],
        pathNot: '(^|/)node_modules/@types/',
      },
    },
    {
      name: 'imports-resolve',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
