import type { Plugin } from 'esbuild';

const NAMESPACE = 'builtin';

/**
 * Takes the modules of Node itself without their ES module form. Node makes one for each that is imported, and reads all its
 * exports for that: node:http has WebSocket among them, so that each program loaded undici, 32 ms of the start and 3 MB, to
 * never call it (measured: docs/performance.md).
 */
export const builtinsAsTheyAre: Plugin = {
  name: 'builtins-as-they-are',
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: NAMESPACE, sideEffects: false } : undefined,
    );
    build.onLoad({ filter: /^/, namespace: NAMESPACE }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};
