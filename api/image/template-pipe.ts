import type { Token } from './template-lexer.ts';
import { type Expression, type Pipe, TemplateError } from './template-nodes.ts';

export interface Names {
  /** Variables that may be used; declarations are added. */
  variables: string[];
  isFunction(name: string): boolean;
}

const MAX_NESTING = 50;
const WORDS: Readonly<Record<string, boolean>> = { true: true, false: false };

/** Reads the inside of one action: `$x := .A.B "text" | println`. */
export class PipeParser {
  readonly #tokens: Token[];
  readonly #at: number;
  readonly #names: Names;
  #next = 0;
  #depth = 0;

  constructor(tokens: Token[], at: number, names: Names) {
    this.#tokens = tokens;
    this.#at = at;
    this.#names = names;
  }

  whole(inRange: boolean): Pipe {
    const pipe = this.#pipe(inRange);
    const left = this.#tokens[this.#next];
    if (left) throw new TemplateError(`${left.text} cannot stand here`, left.at);
    return pipe;
  }

  #pipe(inRange: boolean): Pipe {
    const at = this.#tokens[this.#next]?.at ?? this.#at;
    const { variables, assigns } = this.#declaration(inRange);
    const commands = [this.#command()];
    while (this.#tokens[this.#next]?.kind === '|') {
      this.#next += 1;
      commands.push(this.#command());
      this.#checkStage(commands.at(-1)!);
    }
    if (!assigns) this.#names.variables.push(...variables);
    return { variables, assigns, commands, at };
  }

  #checkStage([first]: Expression[]): void {
    if (first && first.kind !== 'function' && first.kind !== 'group' && first.kind !== 'field' && first.kind !== 'variable')
      throw new TemplateError('only a function can stand behind |', first.at);
  }

  #declaration(inRange: boolean): { variables: string[]; assigns: boolean } {
    const [first, second, ...others] = this.#tokens.slice(this.#next, this.#next + 4);
    if (first?.kind !== 'variable') return { variables: [], assigns: false };
    if (second?.kind === ':=' || second?.kind === '=') return this.#declared([first], second, 2);
    if (second?.kind !== ',') return { variables: [], assigns: false };
    if (!inRange) throw new TemplateError('two variables are for {{range}} alone', first.at);
    return this.#pair(first, others);
  }

  #pair(first: Token, [second, sign]: Token[]): { variables: string[]; assigns: boolean } {
    const isSign = sign?.kind === ':=' || sign?.kind === '=';
    if (second?.kind === 'variable' && isSign) return this.#declared([first, second], sign, 4);
    throw new TemplateError('{{range $index, $value := …}} is expected', first.at);
  }

  #declared(tokens: Token[], sign: Token, length: number): { variables: string[]; assigns: boolean } {
    this.#next += length;
    const assigns = sign.kind === '=';
    for (const { text, at } of tokens) {
      if (text === '') throw new TemplateError('$ cannot be set', at);
      if (assigns) this.#known(text, at);
    }
    return { variables: tokens.map(({ text }) => text), assigns };
  }

  #command(): Expression[] {
    const operands: Expression[] = [];
    for (;;) {
      const token = this.#tokens[this.#next];
      if (!token || token.kind === '|' || token.kind === ')') break;
      if (operands.length > 0 && token.glued && token.kind !== '(')
        throw new TemplateError(`a space is missing before ${token.text}`, token.at);
      operands.push(this.#operand(token));
    }
    const at = this.#tokens[this.#next]?.at ?? this.#at;
    if (operands.length === 0) throw new TemplateError('a value is missing', at);
    return operands;
  }

  #operand(token: Token): Expression {
    this.#next += 1;
    const { kind, text, at } = token;
    if (kind === 'string') return { kind: 'literal', value: text, at };
    if (kind === 'number') return { kind: 'literal', value: Number(text.replace(/^\+/, '')), at };
    if (kind === 'dot') return { kind: 'field', fields: [], at };
    if (kind === 'field') return { kind: 'field', fields: [text, ...this.#fields()], at };
    if (kind === 'variable') {
      this.#known(text, at);
      return { kind: 'variable', name: text, fields: this.#fields(), at };
    }
    if (kind === '(') return this.#group(at);
    if (kind === 'identifier') return this.#word(text, at);
    throw new TemplateError(`${text} cannot stand here`, at);
  }

  #group(at: number): Expression {
    if (++this.#depth > MAX_NESTING) throw new TemplateError(`more than ${MAX_NESTING} parentheses stand in each other`, at);
    const pipe = this.#pipe(false);
    if (this.#tokens[this.#next]?.kind !== ')') throw new TemplateError('the ( is not closed', at);
    this.#next += 1;
    this.#depth -= 1;
    return { kind: 'group', pipe, fields: this.#fields(), at };
  }

  #word(text: string, at: number): Expression {
    if (text === 'nil') return { kind: 'nil', at };
    if (Object.hasOwn(WORDS, text)) return { kind: 'literal', value: WORDS[text], at };
    if (!this.#names.isFunction(text)) throw new TemplateError(`there is no function ${text}`, at);
    return { kind: 'function', name: text, at };
  }

  #fields(): string[] {
    const fields: string[] = [];
    for (;;) {
      const token = this.#tokens[this.#next];
      if (token?.kind !== 'field' || !token.glued) return fields;
      fields.push(token.text);
      this.#next += 1;
    }
  }

  #known(name: string, at: number): void {
    if (!this.#names.variables.includes(name)) throw new TemplateError(`there is no variable $${name}`, at);
  }
}
