import { FUNCTIONS } from './template-functions.ts';
import { type Segment, segmentsOf, type Token } from './template-lexer.ts';
import { type Node, type Pipe, TemplateError } from './template-nodes.ts';
import { PipeParser } from './template-pipe.ts';

/** Blocks within blocks. */
const MAX_NESTING = 50;

const REFUSED: ReadonlySet<string> = new Set(['define', 'template', 'block', 'call', 'else', 'end']);

/** Reads a template whole. Throws TemplateError at the first mistake. */
export function parseNodes(source: string): Node[] {
  const parser = new BlockParser(segmentsOf(source), source.length);
  return parser.all();
}

type Stop = { word: 'end' | 'else' | 'eof'; rest: Token[]; at: number };

class BlockParser {
  readonly #segments: Segment[];
  readonly #length: number;
  /** Names of variables that may be used here; blocks cut it back to what it was. */
  readonly #variables: string[] = [''];
  #next = 0;
  #depth = 0;
  #loops = 0;

  constructor(segments: Segment[], length: number) {
    this.#segments = segments;
    this.#length = length;
  }

  all(): Node[] {
    const { nodes, stop } = this.#list();
    if (stop.word !== 'eof') throw new TemplateError(`{{${stop.word}}} without a beginning`, stop.at);
    return nodes;
  }

  #list(): { nodes: Node[]; stop: Stop } {
    const nodes: Node[] = [];
    for (;;) {
      const segment = this.#segments[this.#next++];
      if (!segment) return { nodes, stop: { word: 'eof', rest: [], at: this.#length } };
      if (segment.kind === 'text') {
        nodes.push(segment);
        continue;
      }
      const [first, ...rest] = segment.tokens;
      const word = first?.kind === 'identifier' ? first.text : '';
      if (word === 'end' || word === 'else') return { nodes, stop: { word, rest, at: segment.at } };
      nodes.push(this.#action(word, segment.tokens, segment.at));
    }
  }

  #action(word: string, tokens: Token[], at: number): Node {
    if (word === 'if' || word === 'with' || word === 'range') return this.#block(word, tokens.slice(1), at);
    if (word === 'break' || word === 'continue') {
      if (this.#loops === 0) throw new TemplateError(`{{${word}}} outside of a range`, at);
      if (tokens.length > 1) throw new TemplateError(`{{${word}}} takes nothing`, at);
      return { kind: word, at };
    }
    if (REFUSED.has(word)) throw new TemplateError(`{{${word}}} is not supported`, at);
    return { kind: 'action', pipe: this.#pipe(tokens, at), at };
  }

  #block(kind: 'if' | 'with' | 'range', tokens: Token[], at: number): Node {
    if (++this.#depth > MAX_NESTING) throw new TemplateError(`more than ${MAX_NESTING} blocks stand in each other`, at);
    const variables = this.#variables.length;
    const pipe = this.#pipe(tokens, at, kind === 'range');
    if (kind === 'range') this.#loops += 1;
    const body = this.#list();
    if (kind === 'range') this.#loops -= 1;
    const otherwise = this.#rest(kind, body.stop, at);
    this.#variables.length = variables;
    this.#depth -= 1;
    return { kind, pipe, body: body.nodes, otherwise, at };
  }

  /** What follows the body: nothing, `{{else}}…{{end}}`, or `{{else if …}}` as a block of its own. */
  #rest(kind: 'if' | 'with' | 'range', stop: Stop, at: number): Node[] {
    if (stop.word === 'eof') throw new TemplateError(`{{${kind}}} without {{end}}`, at);
    if (stop.word === 'end') return nothingMore(stop, []);
    const [first, ...rest] = stop.rest;
    if (first?.kind === 'identifier' && first.text === kind && kind !== 'range') return [this.#block(kind, rest, stop.at)];
    if (first) throw new TemplateError(`{{else ${first.text}}} cannot stand in {{${kind}}}`, stop.at);
    const otherwise = this.#list();
    if (otherwise.stop.word === 'else') throw new TemplateError('a second {{else}}', otherwise.stop.at);
    if (otherwise.stop.word === 'eof') throw new TemplateError(`{{${kind}}} without {{end}}`, at);
    return nothingMore(otherwise.stop, otherwise.nodes);
  }

  #pipe(tokens: Token[], at: number, inRange = false): Pipe {
    return new PipeParser(tokens, at, { variables: this.#variables, isFunction: (name) => FUNCTIONS.has(name) }).whole(inRange);
  }
}

function nothingMore(stop: Stop, nodes: Node[]): Node[] {
  if (stop.rest.length > 0) throw new TemplateError('{{end}} takes nothing', stop.at);
  return nodes;
}
