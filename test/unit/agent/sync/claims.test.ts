import { beforeEach, describe, expect, it } from 'vitest';
import { Claims } from '#agent/sync/claims.ts';

const MINUTE_MS = 60_000;
const mine = { application: 'mine', component: 'a' };
const other = { application: 'other', component: 'a' };
const at = (commit: string) => ({ source: 'repository', commit, built: true, path: '.' });

let now: number;
let claims: Claims;

beforeEach(() => {
  now = 0;
  claims = new Claims(() => now);
  for (const { application, component } of [mine, other]) claims.expect(application, [component]);
});

/** Whether what leaves my component may turn up in the other one. */
const waits = (commit: string): boolean => claims.unheard(mine) || claims.behind(mine, at(commit)).length > 0;

describe('another component', () => {
  it('that has said nothing is waited for, and not for longer than a minute', () => {
    expect(waits('one')).toBe(true);
    now = MINUTE_MS;
    expect(waits('one')).toBe(false);
  });

  it('that has built an older commit of the same repository is waited for', () => {
    claims.render(other, new Set(['x']), at('one'));
    expect([waits('one'), waits('two')]).toEqual([false, true]);
  });

  it.each([
    ['whose Application is refused', () => claims.rest('other')],
    ['that is suspended', () => claims.pause(other, { ...at(''), built: false })],
  ])('%s is waited for at no commit, and keeps what it has: what its folder may have counts', (_, stop) => {
    claims.render(other, new Set(['x']), at('one'));
    stop();
    expect(claims.unheard(mine)).toBe(false);
    expect(claims.behind(mine, at('two'))).toEqual([{ ...other, at: { ...at(''), built: false } }]);
    expect(claims.otherRendering(mine, 'x')).toMatchObject(other);
  });

  it('whose Application is on its way out is waited for by nobody', () => {
    claims.render(other, new Set(['x']), at('one'));
    claims.retire('other');
    expect(waits('two')).toBe(false);
  });

  it('that never ran since its Application is refused is waited for by nobody', () => {
    claims.rest('other');
    expect(waits('one')).toBe(false);
    expect(claims.mayRender(other, 'x')).toBe(true);
  });

  it('whose Application is refused no longer is waited for until it has spoken', () => {
    claims.render(other, new Set(['x']), at('one'));
    claims.rest('other');
    now = 10 * MINUTE_MS;
    claims.wake('other');
    expect(waits('two')).toBe(true);
    claims.render(other, new Set(['x', 'y']), at('two'));
    expect(waits('two')).toBe(false);
    // Each pass of an Application that runs says the same again.
    claims.wake('other');
    expect(waits('two')).toBe(false);
  });

  it('is told of to whoever listens when nobody waits for it any longer', () => {
    let told = 0;
    claims.listen(() => (told += 1));
    claims.rest('other');
    claims.rest('other');
    expect(told).toBe(1);
  });
});

describe('a component that renders Applications', () => {
  const nested = new Set(['core.oam.dev/Application/space/inner']);

  it('is waited for until they are in the cluster, and those until their loops have seen them and their components have spoken', () => {
    claims.render(other, nested, at('one'));
    expect([claims.behind(mine, at('one')).map((sibling) => sibling.nested), claims.isUnderWay(other)]).toEqual([['applying'], true]);
    claims.awaits('inner', '12');
    claims.applied(other, true);
    expect([claims.behind(mine, at('one')), claims.isUnderWay(other), claims.unheard(mine)]).toEqual([[], false, true]);
    claims.expect('inner', ['a']);
    claims.reached('inner', '11');
    claims.render({ application: 'inner', component: 'a' }, new Set(), at('one'));
    expect(claims.unheard(mine)).toBe(true);
    claims.reached('inner', '13');
    expect(waits('one')).toBe(false);
  });

  it('says so where they were refused, until they are there', () => {
    claims.render(other, nested, at('one'));
    claims.applied(other, false);
    claims.render(other, nested, at('one'));
    expect(claims.behind(mine, at('one'))).toMatchObject([{ nested: 'refused' }]);
    claims.applied(other, true);
    expect(waits('one')).toBe(false);
  });

  it('waits for no Application whose loop has seen it before the answer came', () => {
    claims.render(other, nested, at('one'));
    claims.reached('inner', '12');
    claims.awaits('inner', '12');
    claims.applied(other, true);
    expect(waits('one')).toBe(false);
    claims.awaits('inner', '13');
    expect(waits('one')).toBe(true);
    claims.reached('inner', '13');
    expect(waits('one')).toBe(false);
  });

  it('is waited for by nobody while it is suspended, and again when it goes on', () => {
    claims.render(other, nested, at('one'));
    claims.applied(other, false);
    claims.pause(other);
    expect([claims.isUnderWay(other), waits('one')]).toEqual([false, false]);
    claims.render(other, nested, at('one'));
    expect([claims.isUnderWay(other), waits('one')]).toEqual([true, true]);
  });

  it('awaits no Application that is not ours to run, and none for longer than a minute', () => {
    claims.render(other, nested, at('one'));
    claims.applied(other, true);
    claims.awaits('inner', '12');
    claims.release('inner');
    expect(waits('one')).toBe(false);
    claims.awaits('inner', '13');
    now = MINUTE_MS;
    expect(waits('one')).toBe(false);
  });
});

describe('a component that could not be pulled since the start', () => {
  it('stands at no commit of its source, whatever the branch turns out to be', () => {
    claims.failed(other, { source: 'repository ', commit: '', built: false, path: 'two' });
    const mineAt = { source: 'repository main', commit: 'one', built: true, path: 'one' };
    expect(claims.behind(mine, mineAt)).toMatchObject([{ application: 'other', at: { commit: '', path: 'two' } }]);
  });

  it('and of which nothing is known counts as one that has not spoken', () => {
    claims.failed(other);
    expect(claims.unheard(mine)).toBe(true);
    claims.render(other, new Set(), at('one'));
    claims.failed(other);
    expect(claims.unheard(mine)).toBe(false);
    claims.again(other);
    expect(claims.unheard(mine)).toBe(true);
  });
});
