import { defineConfig } from 'vitest/config';
import type { ViteUserConfig } from 'vitest/config';

/** What is polled for comes a moment later; on a busy machine the moment is longer. */
const expectations = { poll: { timeout: 20_000 } };

/** Three levels, named after what a test needs: nothing, real API servers, a real node (CONTRIBUTING.md). */
const config: ViteUserConfig = defineConfig({
  // Examples import the package by its name, as a user does; here that means its sources.
  ssr: { resolve: { conditions: ['source', 'node', 'import', 'default'] } },
  test: {
    projects: [
      {
        test: {
          name: 'pure',
          expect: expectations,
          include: ['**/*.test.ts'],
          exclude: ['**/*.kube.test.ts', '**/*.node.test.ts', '**/node_modules/**', '**/dist/**', '**/out/**'],
          // A property over thousands of values takes its time on a busy machine.
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'api',
          expect: expectations,
          include: ['test/**/*.kube.test.ts'],
          globalSetup: ['test/support/api-level.ts'],
          testTimeout: 60_000,
          hookTimeout: 300_000,
          // Each file has API servers of its own, which wait more than they work.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'node',
          expect: expectations,
          include: ['test/**/*.node.test.ts'],
          globalSetup: ['test/support/node-level.ts'],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          // Each file has virtual clusters under names of its own on the one node, and waits for them more than it works.
          maxWorkers: 3,
        },
      },
    ],
  },
});

export default config;
