import eslint from '@eslint/js';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** Who may import whom, by the `scope:` tag in each package.json. */
const allowed = {
  errors: [],
  audit: [],
  pki: ['errors'],
  hsm: ['errors', 'pki'],
  pdf: ['errors', 'pki'],
  jobs: ['errors'],
  db: ['errors', 'audit'],
  storage: ['errors'],
  webhooks: ['errors'],
  signpdf: ['errors', 'pki', 'hsm'],
  'local-stack': ['errors'],
  testing: [
    'errors',
    'audit',
    'pki',
    'hsm',
    'pdf',
    'db',
    'jobs',
    'storage',
    'webhooks',
    'local-stack',
  ],
  api: ['errors', 'pki', 'db', 'jobs', 'storage', 'webhooks'],
  worker: ['errors', 'pki', 'hsm', 'pdf', 'db', 'jobs', 'storage', 'webhooks'],
  cli: ['errors', 'audit', 'pki', 'hsm', 'pdf', 'storage', 'webhooks', 'local-stack'],
};

const boundaries = (extra) => [
  'error',
  {
    enforceBuildableLibDependency: false,
    allow: [],
    // Tests of pki use the test PKI, which is made with pki.
    ignoredCircularDependencies: [['@signfleet/testing', '@signfleet/pki']],
    depConstraints: Object.entries(allowed).map(([scope, targets]) => ({
      sourceTag: `scope:${scope}`,
      onlyDependOnLibsWithTags: [scope, ...targets, ...extra].map((name) => `scope:${name}`),
    })),
  },
];

export default tseslint.config(
  {
    ignores: [
      '**/dist/',
      '**/node_modules/',
      '.nx/',
      'out/',
      '.signfleet/',
      'libs/db/src/generated/',
    ],
  },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': boundaries([]),
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 4],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
    },
  },
  {
    files: ['apps/api/src/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { paths: ['pkcs11js', 'koffi', '@signfleet/hsm', '@signfleet/pdf'] },
      ],
    },
  },
  {
    files: ['**/test/**/*.ts', '**/*.test.ts', 'bench/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': 'off',
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  { files: ['*.config.ts'], rules: { 'no-restricted-exports': 'off' } },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
);
