import tseslint from 'typescript-eslint';

const strict = { assertionStyle: 'never' };

/** What changes a file system: services/disk.ts alone may, so that each change is a named step. */
const CHANGING = [
  ...[
    'appendFile',
    'chmod',
    'chown',
    'copyFile',
    'cp',
    'lchmod',
    'lchown',
    'link',
    'lutimes',
    'mkdir',
    'mkdtemp',
  ],
  ...['rename', 'rm', 'rmdir', 'symlink', 'truncate', 'unlink', 'utimes', 'writeFile'],
];
const FILE_SYSTEM = ['fs', 'node:fs', 'fs/promises', 'node:fs/promises'].map((name) => ({
  name,
  importNames: [
    ...CHANGING,
    ...CHANGING.map((call) => `${call}Sync`),
    ...['createWriteStream', 'promises', 'default'],
  ],
  message: 'Only services/disk.ts changes a file system: call it, with the name of a step.',
}));
const PROCESSES = ['child_process', 'node:child_process'].map((name) => ({
  name,
  message: 'Programs are run by services/programs/run-program.ts, units by services/service-control.',
}));
const SHELLS = ['child_process', 'node:child_process'].map((name) => ({
  name,
  importNames: ['exec', 'execSync', 'default'],
  message: 'No shell: use execFile or spawn.',
}));

const SHELL_OPTION = {
  selector: 'Property[key.name="shell"]:not([value.value=false])',
  message: 'No shell: give the program its arguments one by one.',
};
const FILE_SYSTEM_BY_EXPRESSION = {
  selector: 'ImportExpression[source.value=/^(node:)?(fs|child_process)/]',
  message: 'Import it by a statement, where lint sees what is taken from it.',
};
const OPEN = 'CallExpression[callee.name=/^open(Sync)?$/]';
const OPEN_FOR_WRITING = {
  selector: [
    `${OPEN}[arguments.1.type="Literal"]:not([arguments.1.value="r"])`,
    `${OPEN} MemberExpression[property.name=/^O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)$/]`,
    `${OPEN} > Identifier.arguments:nth-child(2)`,
  ].join(', '),
  message: 'Only openForWriting of services/disk.ts opens files to be changed.',
};

/** What a file may neither import nor write. */
function restricted(paths, ...syntax) {
  return {
    '@typescript-eslint/no-restricted-imports': ['error', { paths }],
    'no-restricted-syntax': ['error', SHELL_OPTION, ...syntax],
  };
}

/** Commands that run on the device, and what they call an updater with; the other scripts are for workstations. */
const DEVICE_SCRIPTS = [
  ...['serve', 'recover', 'factory', 'tope-updater', 'status', 'watch', 'versions', 'history', 'download'],
  ...['update', 'rollback', 'cancel', 'doctor', 'calling/*'],
].map((name) => `scripts/${name}.ts`);

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-assertions': ['error', strict],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/dot-notation': 'off',
      ...restricted([...FILE_SYSTEM, ...PROCESSES], FILE_SYSTEM_BY_EXPRESSION, OPEN_FOR_WRITING),
    },
  },
  { files: ['services/disk.ts'], rules: restricted(PROCESSES) },
  {
    files: [
      'services/service-control/**/*.ts',
      'services/programs/run-program.ts',
      'services/programs/ota-gui.ts',
      // node:fs has no calls for extended attributes.
      'services/deployment/attributes.ts',
    ],
    rules: restricted([...FILE_SYSTEM, ...SHELLS], FILE_SYSTEM_BY_EXPRESSION, OPEN_FOR_WRITING),
  },
  { files: ['scripts/**/*.ts', '__tests__/**/*.ts'], ignores: DEVICE_SCRIPTS, rules: restricted(SHELLS) },
  {
    // winston's typings describe its transports as interfaces that extend a class.
    files: ['services/log/rotating-log.ts'],
    rules: { '@typescript-eslint/no-unsafe-class-instance-assignment': 'off' },
  },
);
