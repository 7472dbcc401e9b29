import { describe, expect, it } from 'vitest';
import type { Cause } from '#api/failure.ts';
import { mistakesOf } from './cases.ts';

/** `{ a: ['b'] }` -> a component a that depends on b. */
function graph(needs: Record<string, string[]>): Record<string, unknown> {
  const components = Object.entries(needs).map(([name, dependsOn]) => ({ name, type: 'worker', properties: { image: 'x' }, dependsOn }));
  return { metadata: { name: 'app' }, spec: { components } };
}

function cycle(index: number, text: string, members: string): Cause {
  const path = `spec.components[${index}].dependsOn`;
  return {
    path,
    code: 'DependencyCycle',
    message: `${path} makes components wait for each other: ${text}`,
    remedy: `remove one of the dependsOn of ${members}`,
  };
}

describe('dependsOn', () => {
  const unknown = (path: string, value: string, remedy: string): Cause => ({
    path,
    code: 'UnknownDependency',
    message: `${path} names no component of this Application, received "${value}"`,
    value,
    remedy,
  });
  const cases: [name: string, needs: Record<string, string[]>, causes: Cause[]][] = [
    ['a diamond', { a: [], b: ['a'], c: ['a'], d: ['b', 'c'] }, []],
    ['a component that comes later', { a: ['b'], b: [] }, []],
    [
      'no such component',
      { database: [], web: ['databse'] },
      [unknown('spec.components[1].dependsOn[0]', 'databse', 'did you mean "database"?')],
    ],
    [
      'nothing like it',
      { database: [], web: ['queue'] },
      [unknown('spec.components[1].dependsOn[0]', 'queue', 'name a component, or remove it')],
    ],
    ['itself', { a: ['a'] }, [cycle(0, 'a -> a', '"a"')]],
    ['each other', { a: ['b'], b: ['a'] }, [cycle(0, 'a -> b -> a', '"a" and "b"')]],
    [
      'a ring, told once and from its first component',
      { x: ['c'], a: ['b'], b: ['c'], c: ['a'] },
      [cycle(1, 'a -> b -> c -> a', '"a", "b" and "c"')],
    ],
    [
      'two rings',
      { a: ['b'], b: ['a'], c: ['d'], d: ['c'] },
      [cycle(0, 'a -> b -> a', '"a" and "b"'), cycle(2, 'c -> d -> c', '"c" and "d"')],
    ],
  ];
  it.each(cases)('%s', (_, needs, causes) => {
    expect(mistakesOf(graph(needs))).toEqual(causes);
  });

  it('that is not a list, and entries that are no names', () => {
    const application = {
      metadata: { name: 'app' },
      spec: {
        components: [
          { name: 'a', type: 'worker', properties: { image: 'x' }, dependsOn: 'b' },
          { name: 'b', type: 'worker', properties: { image: 'x' }, dependsOn: [1] },
        ],
      },
    };
    expect(mistakesOf(application)).toEqual([
      {
        path: 'spec.components[0].dependsOn',
        code: 'InvalidType',
        message: 'spec.components[0].dependsOn must be a list, received the string "b"',
        value: 'b',
        remedy: 'write it as a list',
      },
      {
        path: 'spec.components[1].dependsOn[0]',
        code: 'InvalidType',
        message: 'spec.components[1].dependsOn[0] must be a string, received the number 1',
        value: '1',
        remedy: 'put it in quotes: "1"',
      },
    ]);
  });

  it('a ring of ten thousand is named in a few words', () => {
    const size = 10_000;
    const needs = Object.fromEntries(Array.from({ length: size }, (_, index) => [`c${index}`, [`c${(index + 1) % size}`]]));
    const [first, ...rest] = mistakesOf(graph(needs));
    expect(rest).toEqual([]);
    expect(first?.message).toBe(
      'spec.components[0].dependsOn makes components wait for each other: c0 -> c1 -> c2 -> c3 -> c4 -> c5 -> c6 -> c7 -> c8 -> … -> c0',
    );
  });
});
