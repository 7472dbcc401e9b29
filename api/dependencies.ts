import type { CheckContext, Finding, Rule } from './schema.ts';
import { listText, quote, shorten } from './wording.ts';

/** dependsOn of components and of workflow steps: every name is there, and nothing waits for itself. */

interface Graph {
  /** What the nodes are called in a sentence: `component`. */
  noun: string;
  names: readonly (string | undefined)[];
  needs: readonly (readonly string[])[];
}

export function componentGraph(context: CheckContext): Graph {
  return { noun: 'component', names: context.componentNames, needs: context.componentNeeds };
}

export function stepGraph(context: CheckContext): Graph {
  return { noun: 'step', names: context.stepNames, needs: context.stepNeeds };
}

/** The rule of one entry of a dependsOn: it names a node of the graph. */
export function nameRule(graphOf: (context: CheckContext) => Graph): Rule<string> {
  return (name, { context }) => {
    const { noun, names } = graphOf(context);
    if (indexOf(names).has(name)) return [];
    const guess = context.guess(name, names.slice(0, 200).filter(isString));
    const text = `names no ${noun} of this Application, received ${quote(name)}`;
    return [
      {
        code: 'UnknownDependency',
        text,
        value: shorten(name),
        remedy: guess ? `did you mean ${quote(guess)}?` : `name a ${noun}, or remove it`,
      },
    ];
  };
}

/** The rule of a whole dependsOn: the cycle is told once, at the first node that is in it. */
export function cycleRule(graphOf: (context: CheckContext) => Graph): Rule<string[]> {
  return (_, { index, context }): Finding[] => {
    const graph = graphOf(context);
    const cycle = index === undefined ? undefined : cyclesOf(graph).get(index);
    if (!cycle) return [];
    const circle = cycle.length > 10 ? [...cycle.slice(0, 9), '…', cycle[0]!] : [...cycle, cycle[0]!];
    const text = `makes ${graph.noun}s wait for each other: ${circle.map(shorten).join(' -> ')}`;
    return [{ code: 'DependencyCycle', text, remedy: `remove one of the dependsOn of ${listText(cycle.slice(0, 10))}` }];
  };
}

function isString(value: string | undefined): value is string {
  return value !== undefined;
}

const indexes = new WeakMap<readonly (string | undefined)[], Map<string, number>>();

/** Position of each name; the first one where a name stands twice. */
export function indexOf(names: readonly (string | undefined)[]): Map<string, number> {
  const known = indexes.get(names);
  if (known) return known;
  const index = new Map<string, number>();
  for (const [position, name] of names.entries()) if (name !== undefined && !index.has(name)) index.set(name, position);
  indexes.set(names, index);
  return index;
}

const cycles = new WeakMap<Graph['needs'], Map<number, string[]>>();

/** Each cycle of a depth-first walk, under the lowest position in it. */
function cyclesOf(graph: Graph): Map<number, string[]> {
  const known = cycles.get(graph.needs);
  if (known) return known;
  const found = new Map<number, string[]>();
  const position = indexOf(graph.names);
  const state: ('new' | 'open' | 'done')[] = graph.names.map(() => 'new');
  for (const [start, current] of state.entries()) if (current === 'new') walk(start);
  cycles.set(graph.needs, found);
  return found;

  // A stack of its own: a chain of 10,000 components must not end in a RangeError.
  function walk(start: number): void {
    const stack = [{ node: start, next: 0 }];
    state[start] = 'open';
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const need = graph.needs[top.node]?.[top.next++];
      if (need === undefined) {
        state[top.node] = 'done';
        stack.pop();
        continue;
      }
      const target = position.get(need);
      if (target === undefined || state[target] === 'done') continue;
      if (state[target] === 'open') {
        // A bound: a mesh of thousands has more cycles than anyone would read.
        if (found.size < 100) note(stack.map(({ node }) => node).slice(stack.findIndex(({ node }) => node === target)));
        continue;
      }
      state[target] = 'open';
      stack.push({ node: target, next: 0 });
    }
  }

  function note(nodes: number[]): void {
    const lowest = nodes.indexOf(Math.min(...nodes));
    const ordered = [...nodes.slice(lowest), ...nodes.slice(0, lowest)];
    const first = ordered[0]!;
    if (!found.has(first))
      found.set(
        first,
        ordered.map((node) => graph.names[node] ?? `#${node}`),
      );
  }
}
