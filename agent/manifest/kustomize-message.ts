import { oneLine } from '#core/errors.ts';

/** Of what kustomize says the beginning is enough. */
const MAX_LENGTH = 600;

/** What makes a sentence of kustomize 5.8 unreadable: the levels that it passed through, and values as Go prints them. */
const REPLACEMENTS: readonly (readonly [pattern: RegExp, text: string])[] = [
  // Repeats the configuration, which may hold secrets.
  [/ ?with config: `[\s\S]*?`/g, ''],
  [/^Error: /, ''],
  [/accumulation err='accumulating (?:resources|components) from '[^']*': read [^']*: is a directory': /g, ''],
  [
    /accumulation err='(?:accumulating|merging) resources from '([^']*)': ([\s\S]*)': must build at directory: '[^']*': file is not directory/g,
    '$1: $2',
  ],
  [/recursed accumulation of path '[^']*': /g, ''],
  [/(?:accumulating resources|accumulating components): /g, ''],
  [/merging from generator &\{[^}]*\}: /g, ''],
  [/id resid\.ResId\{Gvk:resid\.Gvk\{[^}]*Kind:"([^"]*)"[^}]*\}, Name:"([^"]*)"[^}]*\}/g, '$1/$2'],
  [/ in object \{\{[^\n]*?\}\}/g, ''],
  [/\b([A-Z]\w*)\.v\w+\.(?:\[noGrp\]|[\w.-]+)\/([\w.-]+)\.(?:\[noNs\]|[\w-]+)/g, '$1/$2'],
  [/json: cannot unmarshal (\w+) into Go struct field \w+\.([\w.]+) of type (\S+)/g, 'the field $2 must not be of the type $1 (it is $3)'],
];

/** One sentence out of what kustomize printed. `root` is the private folder, of which nothing is left in the sentence. */
export function kustomizeMessage(printed: string, root: string): string {
  const lines = printed.split('\n').filter((line) => !line.startsWith('# Warning') && line.trim() !== '');
  const said = lines.join('\n').replaceAll(`${root}/`, '').replaceAll(root, '.');
  const clean = REPLACEMENTS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), said);
  return oneLine(clean, MAX_LENGTH) || 'it said nothing';
}
