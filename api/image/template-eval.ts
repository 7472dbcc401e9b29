import { FUNCTIONS, type Host, LAZY } from './template-functions.ts';
import { type Expression, type Node, type Pipe, TemplateError } from './template-nodes.ts';
import { BoundedText, entriesOf, isTrue, print, Struct, StructMap, typeName, type Value, ValueTooLarge } from './template-value.ts';

/** Actions, loops and calls of one run. */
const MAX_STEPS = 100_000;

type Choice = Exclude<Node, { kind: 'text' | 'action' | 'range' | 'break' | 'continue' }>;
type Loop = Extract<Node, { kind: 'range' }>;
type Flow = 'break' | 'continue' | undefined;

/** Runs a parsed template once. Throws TemplateError. */
export class Execution {
  readonly #out = new BoundedText();
  readonly #host: Host;
  readonly #variables: { name: string; value: Value }[];
  #steps = 0;

  constructor(data: Value, host: Host) {
    this.#host = host;
    this.#variables = [{ name: '', value: data }];
  }

  run(nodes: readonly Node[]): string {
    this.#list(nodes, this.#variables[0]!.value);
    return this.#out.text;
  }

  #list(nodes: readonly Node[], dot: Value): Flow {
    for (const node of nodes) {
      const flow = this.#node(node, dot);
      if (flow) return flow;
    }
    return undefined;
  }

  #node(node: Node, dot: Value): Flow {
    if (node.kind === 'text') {
      this.#write(node.text, 0);
      return undefined;
    }
    this.#step(node.at);
    if (node.kind === 'break' || node.kind === 'continue') return node.kind;
    if (node.kind === 'action') return this.#action(node.pipe, dot);
    if (node.kind === 'range') return this.#scoped(() => this.#range(node, dot));
    return this.#scoped(() => this.#choice(node, dot));
  }

  #action(pipe: Pipe, dot: Value): undefined {
    const value = this.#pipe(pipe, dot);
    if (pipe.variables.length > 0) this.#bind(pipe, [value]);
    else this.#write(value === undefined ? '<no value>' : guarded(pipe.at, () => print(value)), pipe.at);
  }

  #choice(node: Choice, dot: Value): Flow {
    const value = this.#pipe(node.pipe, dot);
    this.#bind(node.pipe, [value]);
    if (!isTrue(value)) return this.#list(node.otherwise, dot);
    return this.#list(node.body, node.kind === 'with' ? value : dot);
  }

  #range(node: Loop, dot: Value): Flow {
    const { pipe, body, otherwise, at } = node;
    const items = itemsOf(this.#pipe(pipe, dot), at);
    if (items.length === 0) return this.#list(otherwise, dot);
    for (const [key, item] of items) {
      this.#step(at);
      const flow = this.#scoped(() => {
        this.#bind(pipe, pipe.variables.length === 2 ? [key, item] : [item]);
        return this.#list(body, item);
      });
      if (flow === 'break') break;
    }
    return undefined;
  }

  #scoped(work: () => Flow): Flow {
    const size = this.#variables.length;
    const flow = work();
    this.#variables.length = size;
    return flow;
  }

  #bind({ variables, assigns, at }: Pipe, values: Value[]): void {
    for (const [index, name] of variables.entries()) {
      const value = values[index];
      if (!assigns) {
        this.#variables.push({ name, value });
        continue;
      }
      const variable = this.#variables.findLast((one) => one.name === name);
      if (!variable) throw new TemplateError(`there is no variable $${name}`, at);
      variable.value = value;
    }
  }

  #pipe(pipe: Pipe, dot: Value): Value {
    let final: { value: Value } | undefined;
    for (const command of pipe.commands) final = { value: this.#command(command, dot, final) };
    return final?.value;
  }

  #command([first, ...args]: Expression[], dot: Value, final: { value: Value } | undefined): Value {
    this.#step(first!.at);
    if (first!.kind === 'function') return this.#call(first!.name, first!.at, { args, dot, final });
    if (first!.kind === 'nil') throw new TemplateError('nil is not a command', first!.at);
    if (args.length > 0 || final) throw new TemplateError('a value that is no function is given an argument', first!.at);
    return this.#value(first!, dot);
  }

  #call(name: string, at: number, call: { args: Expression[]; dot: Value; final: { value: Value } | undefined }): Value {
    const { args, dot, final } = call;
    const lazy = LAZY.get(name);
    const thunks = [...args.map((arg) => () => this.#value(arg, dot)), ...(final ? [() => final.value] : [])];
    if (lazy) {
      if (thunks.length === 0) throw new TemplateError(`${name} takes at least one value`, at);
      return lazy(thunks);
    }
    const values = thunks.map((thunk) => thunk());
    return guarded(at, () => FUNCTIONS.get(name)!(values, this.#host), name);
  }

  #value(expression: Expression, dot: Value): Value {
    this.#step(expression.at);
    const { at } = expression;
    if (expression.kind === 'literal') return expression.value;
    if (expression.kind === 'nil') return undefined;
    if (expression.kind === 'field') return fieldsOf(dot, expression.fields, at);
    if (expression.kind === 'group') return fieldsOf(this.#inner(expression.pipe, dot), expression.fields, at);
    if (expression.kind === 'function') return this.#call(expression.name, at, { args: [], dot, final: undefined });
    const variable = this.#variables.findLast(({ name }) => name === expression.name);
    return fieldsOf(variable?.value, expression.fields, at);
  }

  #inner(pipe: Pipe, dot: Value): Value {
    const value = this.#pipe(pipe, dot);
    this.#bind(pipe, [value]);
    return value;
  }

  #write(text: string, at: number): void {
    guarded(at, () => this.#out.add(text));
  }

  #step(at: number): void {
    if (++this.#steps > MAX_STEPS) throw new TemplateError(`the template takes more than ${MAX_STEPS} steps`, at);
  }
}

/** Runs what may refuse its values, and says where. */
function guarded<Result>(at: number, work: () => Result, name?: string): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof TemplateError) throw error;
    const message = error instanceof Error ? error.message : 'failed';
    throw new TemplateError(name === undefined || error instanceof ValueTooLarge ? message : `${name}: ${message}`, at);
  }
}

/** A missing key of a map has no value; a missing field of a thing is a mistake. */
function fieldsOf(value: Value, fields: readonly string[], at: number): Value {
  let current = value;
  for (const field of fields) {
    if (current === undefined) return undefined;
    if (current instanceof Map) current = (current as ReadonlyMap<string, Value>).get(field);
    else if (current instanceof Struct && current.fields.has(field)) current = current.fields.get(field);
    else throw new TemplateError(`${capital(typeName(current))} has no field ${field}${known(current)}`, at);
  }
  return current;
}

function known(value: Value): string {
  return value instanceof Struct ? `; it has ${[...value.fields.keys()].join(', ')}` : '';
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function itemsOf(value: Value, at: number): readonly (readonly [key: Value, item: Value])[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.map((item, index) => [index, item] as [Value, Value]);
  if (value instanceof Map || value instanceof StructMap) return entriesOf(value);
  if (typeof value === 'number' && Number.isInteger(value)) {
    if (value > MAX_STEPS) throw new TemplateError(`the template takes more than ${MAX_STEPS} steps`, at);
    return Array.from({ length: Math.max(0, value) }, (_, index) => [index, index] as const);
  }
  throw new TemplateError(`{{range}} cannot go over ${typeName(value)}`, at);
}
