import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { kubeconfigAlone } from './bundle-plugin.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Packages in CommonJS call `require`, which a module has not. */
const REQUIRE = "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);";

/** Writes a program, whose first file is relative to the checkout, as one file. */
export async function bundleProgram(main: string, file: string): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: [main],
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    plugins: [kubeconfigAlone],
    banner: { js: REQUIRE },
    // Names stay: they are what stack traces are read by.
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
    logOverride: { 'equals-negative-zero': 'silent' },
  });
}
