import { Composer, type Document, type LineCounter, type ParsedNode, Parser } from 'yaml';

export type ParsedDocument = Document.Parsed<ParsedNode>;

/** A comment as it stands in the file, `#` included. */
export interface SourceComment {
  offset: number;
  source: string;
}

export interface YamlSource {
  documents: ParsedDocument[];
  /** In the order of the file. */
  comments: SourceComment[];
  /** Where and why the file is no YAML. */
  error?: { offset: number; message: string };
}

/** Reads a file for its places, not its values: every scalar stays the text that it is. */
export function readSource(text: string, lines: LineCounter): YamlSource {
  try {
    const tokens = [...new Parser(lines.addNewLine).parse(text)];
    const options = {
      schema: 'failsafe',
      resolveKnownTags: false,
      merge: false,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'error',
    } as const;
    const documents = [...new Composer(options).compose(tokens, true, text.length)] as ParsedDocument[];
    const [first] = documents.flatMap(({ errors }) => errors);
    return {
      documents,
      comments: commentsOf(tokens),
      ...(first ? { error: { offset: first.pos[0], message: first.message } } : {}),
    };
  } catch {
    // The composer is recursive.
    return { documents: [], comments: [], error: { offset: 0, message: 'the values are nested too deep' } };
  }
}

/** Fields of the parser's tokens that hold further tokens. */
const PARTS = ['start', 'key', 'sep', 'value', 'items', 'end', 'props'] as const;

function commentsOf(tokens: readonly unknown[]): SourceComment[] {
  const comments: SourceComment[] = [];
  const open: unknown[] = [...tokens];
  while (open.length > 0) {
    const token = open.pop();
    if (Array.isArray(token)) (token as unknown[]).forEach((one) => open.push(one));
    else if (isRecord(token) && token['type'] === 'comment')
      comments.push({ offset: token['offset'] as number, source: token['source'] as string });
    else if (isRecord(token)) open.push(...PARTS.map((part) => token[part]));
  }
  return comments.sort((a, b) => a.offset - b.offset);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
