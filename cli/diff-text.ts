import { displayName } from '#api/kubernetes.ts';
import type { Comparison, CommitChange } from './comparison.ts';
import type { FieldChange } from './field-changes.ts';
import type { DiffLine } from './line-diff.ts';
import type { ObjectChange } from './object-changes.ts';
import { isHidden } from './secret-mask.ts';
import type { TextChange, TextChangeKind } from './spec-changes.ts';
import { visible } from './text-width.ts';

/** How a line is set off on a terminal; the identity elsewhere. */
export type Paint = (format: 'red' | 'green' | 'yellow', text: string) => string;

/** Which side is which, the texts as `vela live-diff` prints them, then what becomes of the objects. */
export function comparisonText(comparison: Comparison, paint: Paint): string {
  const { from, to, texts, objects, commits, notes, inert } = comparison;
  const sections = [
    ...block(
      'Objects:',
      objects.flatMap((change) => objectLines(change, inert)),
    ),
    ...block('Git commits:', commits.map(commitLine)),
    ...notes.map((note) => `Note: ${note}`),
    ...(inert ? [inert.sentence] : []),
  ].map(visible);
  const head = [paint('red', visible(`--- ${from.title}`)), paint('green', visible(`+++ ${to.title}`))];
  return `${[...head, ...texts.flatMap((one) => textLines(one, paint)), ...sections].join('\n')}\n`;
}

const WORDS: Readonly<Record<TextChangeKind, string>> = {
  none: 'has no change',
  added: 'has been added(+)',
  modified: 'has been modified(*)',
  removed: 'has been removed(-)',
};

/** One object in the words of vela (spec/kubevela.md §2.6). */
export function textLines({ kind, name, change, lines }: TextChange, paint: Paint): string[] {
  const title = visible(`* ${kind} (${name}) ${WORDS[change]}`);
  return change === 'none' ? [title] : [paint('yellow', title), ...lines.map((line) => lineText(line, paint))];
}

function lineText({ side, text }: DiffLine, paint: Paint): string {
  const shown = visible(text);
  if (side === 'both') return `  ${shown}`;
  return side === 'left' ? paint('red', `- ${shown}`) : paint('green', `+ ${shown}`);
}

function block(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`), ''];
}

function objectLines(change: ObjectChange, inert: Comparison['inert']): string[] {
  const effect = inert ? `, without effect because ${inert.because}` : '';
  const title = `${displayName(change)} (component ${change.component}) ${change.change}${effect}`;
  return [title, ...change.fields.map((field) => `  ${fieldText(field)}`)];
}

const MAX_VALUE = 200;

/** Of a Secret only that it changed is said. */
function fieldText({ path, before, after }: FieldChange): string {
  if (isHidden(before) || isHidden(after)) {
    const word = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
    return `${path}: ${word} (hidden)`;
  }
  return `${path}: ${valueText(before)} -> ${valueText(after)}`;
}

function valueText(value: unknown): string {
  if (value === undefined) return '(none)';
  const text = JSON.stringify(value);
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE - 1)}…` : text;
}

function commitLine({ component, before, after }: CommitChange): string {
  return `${component}: ${commitText(before)} -> ${commitText(after)}`;
}

/** `main@sha1:3f0c9a1…` -> `main@3f0c9a1`. */
function commitText(revision: string | undefined): string {
  if (!revision) return '(not known)';
  const [, branch = '', commit = ''] = /^(.*)@sha\d+:([0-9a-f]+)$/.exec(revision) ?? [];
  return commit === '' ? revision : `${branch}@${commit.slice(0, 7)}`;
}
