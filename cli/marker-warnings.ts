import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { Cause } from '#api/failure.ts';
import { VERSION_MARKER } from '#api/image/marker.ts';
import type { Io } from './io.ts';

/** Far over what a workflow has. */
const MAX_BYTES = 256 * 1024;
const MAX_FILES = 200;
/** Where CI looks for its files, from the root of the repository. */
const PLACES = ['.github/workflows', '.gitlab-ci.yml', '.gitea/workflows', '.forgejo/workflows'];

const MARKED = /publishVersion["']?\s*:.*#.*\$publishversion/;
/** `sed "s|app.oam.dev/publishVersion: .*|…|"`, whatever stands between the parts: the line goes to its end. */
const REPLACED = /\bsed\b.*\bs(?<sign>[|/#,@!~%]).*publishVersion.*\.\*\$?\k<sign>/;

/** The script that replaces a line to its end. */
interface Script {
  file: string;
  line: number;
}

/**
 * Lines with the marker of publishVersion that the CI of the same repository would rewrite, marker and all: once it has
 * run, nothing bumps the version any more.
 */
export function markerWarnings(io: Io, files: readonly { file: string; text: string }[]): Cause[] {
  const marked = files.flatMap(({ file, text }) => linesWith(text, MARKED).map((line) => ({ file, line })));
  const scripts = new Map<string, Script | undefined>();
  return marked.flatMap(({ file, line }) => {
    const root = rootOf(dirname(resolve(io.cwd, file)));
    if (root === undefined) return [];
    if (!scripts.has(root)) scripts.set(root, scriptIn(root, io.cwd));
    const script = scripts.get(root);
    return script ? [warningOf(file, line, script)] : [];
  });
}

function warningOf(file: string, line: number, script: Script): Cause {
  const sentence = `sed replaces this line to its end, and with it the marker ${VERSION_MARKER}`;
  return {
    path: 'metadata.annotations["app.oam.dev/publishVersion"]',
    code: 'MarkerOverwritten',
    message: `${script.file}:${script.line}: ${sentence}`,
    remedy: 'let sed replace the version alone: s|publishVersion: [^ ]*|publishVersion: $VERSION|',
    file,
    line,
  };
}

/** The nearest folder above that has CI or is a repository. */
function rootOf(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if ([...PLACES, '.git'].some((name) => existsSync(join(at, name)))) return at;
    if (dirname(at) === at) return undefined;
  }
}

function scriptIn(root: string, cwd: string): Script | undefined {
  const files = PLACES.flatMap((place) => filesOf(join(root, place))).slice(0, MAX_FILES);
  for (const file of files) {
    const [line] = linesWith(readFileSync(file, 'utf8'), REPLACED);
    if (line !== undefined) return { file: relative(cwd, file), line };
  }
  return undefined;
}

/** Of a folder its YAML files, of a file itself; links are not followed. */
function filesOf(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return [];
  if (found.isFile()) return found.size <= MAX_BYTES ? [path] : [];
  const entries = readdirSync(path, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name)).map(({ name }) => join(path, name));
  return files.filter((file) => statSync(file).size <= MAX_BYTES).toSorted();
}

/** From 1. Longer lines are no script that people write. */
function linesWith(text: string, pattern: RegExp): number[] {
  return text.split('\n').flatMap((line, index) => (line.length <= 1_000 && pattern.test(line) ? [index + 1] : []));
}
