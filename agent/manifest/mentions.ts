import { normalizePath } from '#api/path.ts';
import { indexTree } from './folders.ts';
import type { FileTree } from './types.ts';

/** So much is searched for a name; beyond it the name may be there. */
const SEARCHED_FILES = 2_000;
const SEARCHED_BYTES = 16 * 1024 * 1024;
/** What the API server takes of an object, and more: a larger file holds none. */
const MANIFEST_BYTES = 4 * 1024 * 1024;

/** Fields of a kustomization file that make longer names of those in the files. Never over line breaks: a megabyte of them may stand there. */
const LENGTHENS = /^[^\S\r\n\u2028\u2029]*["']?(?:namePrefix|nameSuffix|configMapGenerator|secretGenerator)["']?\s*:/m;
/** Those with which a name may come from anywhere. */
const INVENTS = /^[^\S\r\n\u2028\u2029]*["']?(?:generators|transformers|replacements|allowNameChange)["']?\s*:/m;
const SPECIAL = /[.*+?^${}()|[\]\\]/g;
const ELSEWHERE = /\bname["']?\s*:\s*(?:[&!]\S+\s+)*[*|>]/;
const NAME = /\bname["']?\s*:\s*["']?([-.:\w]+)/g;

/**
 * Whether a folder that could not be built may have an object of that name: whether its files hold the name, or one that
 * kustomize would make it of. A kustomization file reaches out of its folder, so the whole tree is searched then.
 */
export async function mentions(tree: FileTree, path: string, name: string): Promise<boolean> {
  const index = indexTree(tree);
  const folder = normalizePath(path);
  const kustomizes = index.kustomizes(folder);
  const files = index.below(kustomizes ? '' : folder).filter(({ kind, size }) => kind === 'file' && size <= MANIFEST_BYTES);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (files.length > SEARCHED_FILES || bytes > SEARCHED_BYTES) return true;
  const contents = await tree.read(files.map((file) => file.path));
  if ([...contents.values()].some((content) => content.includes(name) && isNamedIn(content.toString(), name))) return true;
  if (!kustomizes) return false;
  const texts = new Map([...contents].map(([file, content]) => [file, content.toString()]));
  const kustomizations = [...index.folders()].flatMap((one) => index.kustomizations(one));
  return isMadeFrom(name, { texts, kustomizations });
}

/** As the value of a key `name`, or anywhere where such a value stands elsewhere (an alias, a text of its own lines). */
function isNamedIn(text: string, name: string): boolean {
  const whole = `${name.replaceAll(SPECIAL, String.raw`\$&`)}(?![-.\\w])`;
  if (new RegExp(`\\bname["']?\\s*:\\s*(?:[&!]\\S+\\s+)*["']?${whole}`).test(text)) return true;
  return ELSEWHERE.test(text) && new RegExp(`(?<![-.\\w])${whole}`).test(text);
}

function isMadeFrom(name: string, found: { texts: ReadonlyMap<string, string>; kustomizations: readonly string[] }): boolean {
  const kustomizations = found.kustomizations.map((file) => found.texts.get(file) ?? '');
  if (kustomizations.some((text) => INVENTS.test(text))) return true;
  if (!kustomizations.some((text) => LENGTHENS.test(text))) return false;
  return [...found.texts.values()].some((text) => [...text.matchAll(NAME)].some(([, shorter = '']) => name.includes(shorter)));
}
