import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { builtinsAsTheyAre } from './builtins-plugin.ts';
import { withoutUnreached } from './bundle-plugin.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Packages in CommonJS call `require`, which a module has not. */
const REQUIRE = "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);";

const PROGRAMS = [
  { name: 'lateen', main: 'cli/main.ts', beside: [] },
  // The wrapper that puts git into a process group of its own: agent/git/client.ts looks for it beside itself.
  { name: 'lateen-agent', main: 'agent/main.ts', beside: ['agent/git/group.sh'] },
  { name: 'lateen-webhook', main: 'webhook/main.ts', beside: [] },
];

/** Writes all programs into a folder that is there. Resolves to the paths of their files. */
export async function bundlePrograms(folder: string): Promise<string[]> {
  const files: string[] = [];
  for (const { name, main, beside } of PROGRAMS) {
    const file = join(folder, `${name}.mjs`);
    await bundleProgram(main, file);
    for (const path of beside) await copyFile(join(ROOT, path), join(folder, path.split('/').at(-1)!));
    files.push(file);
  }
  return files;
}

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
    plugins: [withoutUnreached, builtinsAsTheyAre],
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
