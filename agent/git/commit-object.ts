import { oneLine } from '#core/errors.ts';
import type { Commit } from './types.ts';

/** What a commit says of itself. */
export interface CommitObject {
  commit: Commit;
  /** Object id of its root folder. */
  tree: string;
  parents: string[];
}

const ID = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
const MAX_PERSON_LETTERS = 200;
/** `NAME <EMAIL> SECONDS ZONE`; old tools have left out one or the other. */
const PERSON = /^([^<]*)<([^>]*)>(?: (-?\d+))?/;

/** Reads the content of a commit object (gitformat: headers, an empty line, the message). Undefined where it is none. */
export function parseCommitObject(id: string, content: Buffer): CommitObject | undefined {
  const end = content.indexOf('\n\n');
  const head = content.subarray(0, end < 0 ? content.length : end);
  const encoding = /^encoding (.+)$/m.exec(head.toString('latin1'))?.[1];
  const headers = headersOf(decode(head, encoding));
  const [tree = ''] = headers.get('tree') ?? [];
  if (!ID.test(tree)) return undefined;
  const { name, email } = personOf(headers.get('author'));
  const { seconds } = personOf(headers.get('committer'));
  const message = end < 0 ? '' : decode(content.subarray(end + 2), encoding);
  return {
    commit: { id, author: name, email, committedAt: timeOf(seconds), subject: oneLine(subjectOf(message)) },
    tree,
    parents: headers.get('parent') ?? [],
  };
}

function personOf([text = '']: readonly string[] = []): { name: string; email: string; seconds: number } {
  const [, name = '', email = '', seconds] = PERSON.exec(text) ?? [];
  return { name: oneLine(name, MAX_PERSON_LETTERS), email: oneLine(email, MAX_PERSON_LETTERS), seconds: Number(seconds) };
}

/** Lines that begin with a space go on with the header before. */
function headersOf(text: string): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space > 0) headers.set(line.slice(0, space), [...(headers.get(line.slice(0, space)) ?? []), line.slice(space + 1)]);
  }
  return headers;
}

/** The first paragraph, in one line. */
function subjectOf(message: string): string {
  return message
    .trimStart()
    .split(/\n[ \t]*\n/, 1)[0]!
    .trim();
}

function timeOf(seconds: number): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? '1970-01-01T00:00:00Z' : time.toISOString().replace('.000Z', 'Z');
}

/** Messages in other encodings than UTF-8 name theirs. */
function decode(bytes: Buffer, encoding = 'utf-8'): string {
  try {
    return new TextDecoder(encoding).decode(bytes);
  } catch {
    return bytes.toString('utf8');
  }
}
