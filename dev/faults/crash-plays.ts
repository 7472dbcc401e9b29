import type { Story } from './story.ts';
import type { Wanted } from './wanted.ts';

/** One change, to be interrupted at each of its writes. */
export interface Play {
  name: string;
  before: (prefix: string) => Wanted;
  after: (prefix: string) => Wanted;
  /** What a person does to an object by hand, beyond that. */
  act?: (story: Story) => Promise<void>;
}

const NOTHING: Wanted = { components: {}, folders: {}, deleted: true };

/** Objects of two waves, in one folder. */
const basic = (prefix: string, value = 'one') => ({
  [`ConfigMap/${prefix}-a`]: value,
  [`ConfigMap/${prefix}-b`]: value,
  [`ServiceAccount/${prefix}-c`]: value,
});

const one = (prefix: string, value = 'one'): Wanted => ({ components: { a: 'x' }, folders: { x: basic(prefix, value) } });

const two = (prefix: string, moved: 'x' | 'y'): Wanted => {
  const there = { [`ConfigMap/${prefix}-moved`]: moved, [`ServiceAccount/${prefix}-moved`]: moved };
  return {
    components: { a: 'x', b: 'y' },
    folders: {
      x: { [`ConfigMap/${prefix}-x`]: 'one', ...(moved === 'x' ? there : {}) },
      y: { [`ConfigMap/${prefix}-y`]: 'one', ...(moved === 'y' ? there : {}) },
    },
  };
};

const nested = (prefix: string, value = 'one'): Wanted => ({
  components: { a: 'x' },
  folders: { x: { [`ConfigMap/${prefix}-a`]: value, [`Application/${prefix}-n`]: value } },
});

export const PLAYS: readonly Play[] = [
  { name: 'create', before: () => NOTHING, after: one },
  { name: 'update', before: one, after: (prefix) => one(prefix, 'two') },
  {
    name: 'rename of a component',
    before: (prefix) => ({ components: { old: 'x' }, folders: { x: basic(prefix) } }),
    after: (prefix) => ({ components: { new: 'x' }, folders: { x: basic(prefix) } }),
  },
  { name: 'move between folders', before: (prefix) => two(prefix, 'x'), after: (prefix) => two(prefix, 'y') },
  {
    name: 'prune',
    before: one,
    after: (prefix) => ({ components: { a: 'x' }, folders: { x: { [`ConfigMap/${prefix}-a`]: 'one' } } }),
  },
  { name: 'delete', before: one, after: (prefix) => ({ ...one(prefix), deleted: true }) },
  { name: 'nested Application, create', before: () => NOTHING, after: nested },
  { name: 'nested Application, update', before: nested, after: (prefix) => nested(prefix, 'two') },
  { name: 'nested Application, delete', before: nested, after: (prefix) => ({ ...nested(prefix), deleted: true }) },
  {
    name: 'nested Application, prune',
    before: nested,
    after: (prefix) => ({ components: { a: 'x' }, folders: { x: { [`ConfigMap/${prefix}-a`]: 'one' } } }),
  },
  {
    name: 'restore of what a person has deleted',
    before: one,
    after: one,
    act: async (story) => {
      await story.drift(`ConfigMap/${story.name}-a`);
      await story.drift(`ServiceAccount/${story.name}-c`);
    },
  },
];
