import { describe, expect, it } from 'vitest';
import { decide, type MarkerMemory } from '#agent/image/memory.ts';

const rules = (allowDowngrade = false) => ({
  allowDowngrade,
  compare: (a: string, b: string) => (/^\d+$/.test(a + b) ? Number(a) - Number(b) : undefined),
});
const want = (tag: string) => ({ value: `app:${tag}`, tag });
const state = (tag: string, memory?: MarkerMemory) => ({ current: `app:${tag}`, currentTag: tag, memory });
const set = (tag: string): MarkerMemory => ({ value: `app:${tag}`, tag });

describe('a marker', () => {
  it('is set where it was never ours, and where nobody touched it', () => {
    expect(decide(state('1'), want('2'), rules())).toEqual({ do: 'set', memory: set('2') });
    expect(decide(state('1', set('1')), want('2'), rules())).toEqual({ do: 'set', memory: set('2') });
  });

  it('is remembered once it is as it should be', () => {
    expect(decide(state('2'), want('2'), rules())).toEqual({ do: 'settled', memory: set('2') });
    expect(decide(state('2', { ...set('2'), held: true }), want('2'), rules())).toEqual({ do: 'settled', memory: set('2') });
  });

  it('that somebody took back is held, for that tag and what is older', () => {
    const first = decide(state('1', set('2')), want('2'), rules());
    expect(first).toMatchObject({ do: 'leave', reason: 'ImageHeld', memory: { ...set('2'), held: true } });
    expect(decide(state('1', first.memory), want('2'), rules())).toMatchObject({ do: 'leave', reason: 'ImageHeld' });
    expect(decide(state('0', set('2')), want('1'), rules(true))).toMatchObject({ do: 'leave', reason: 'ImageHeld' });
  });

  it('that is held is set to a newer tag', () => {
    expect(decide(state('1', { ...set('2'), held: true }), want('3'), rules())).toEqual({ do: 'set', memory: set('3') });
  });

  it('goes on when the person puts the tag back', () => {
    expect(decide(state('2', { ...set('2'), held: true }), want('3'), rules())).toEqual({ do: 'set', memory: set('3') });
  });

  it('is never moved backwards without leave', () => {
    expect(decide(state('3', set('3')), want('2'), rules())).toMatchObject({ do: 'leave', reason: 'DowngradeRefused', memory: set('3') });
    expect(decide(state('3', set('3')), want('2'), rules(true))).toEqual({ do: 'set', memory: set('2') });
    expect(decide(state('latest'), want('2'), rules())).toMatchObject({ do: 'set' });
  });

  it('that a person moved ahead by hand stays there', () => {
    expect(decide(state('5', set('2')), want('2'), rules())).toMatchObject({ do: 'leave', reason: 'ImageHeld' });
    expect(decide(state('5', set('2')), want('3'), rules())).toMatchObject({ do: 'leave', reason: 'DowngradeRefused' });
    expect(decide(state('5', set('2')), want('6'), rules())).toMatchObject({ do: 'set' });
  });
});
