import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cpuMs } from '#test/support/cpu-time.ts';
import { checkApplication } from '#api/check.ts';
import { reasons } from '#api/reasons.ts';
import { anyApplication } from './arbitrary-applications.ts';

const options = { minIntervalMs: 10_000, namespace: 'default' };

/** These cost processor time, and a busy machine has little of it. */
const BUSY_MS = 180_000;

describe('whatever is called an Application', () => {
  it('gets a verdict: the same each time, with reasons of the catalogue and one line each', { timeout: BUSY_MS }, () => {
    fc.assert(
      fc.property(anyApplication, (application) => {
        const before = JSON.stringify(application);
        const verdict = checkApplication(application, options);
        expect(checkApplication(structuredClone(application), options)).toEqual(verdict);
        expect(JSON.stringify(application)).toBe(before);
        for (const { code, message, path, value } of Object.values(verdict).flat()) {
          expect(Object.keys(reasons)).toContain(code);
          expect(message).toMatch(/^[^\n\r\0]{8,2000}$/u);
          expect(message.startsWith(path === '' ? 'the Application' : path)).toBe(true);
          expect((value ?? '').length).toBeLessThanOrEqual(80);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('gets it whatever JSON it is', { timeout: BUSY_MS }, () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        expect(checkApplication(json, options).causes.length).toBeGreaterThan(0);
      }),
    );
  });

  it('gets it in time, were it ten thousand components that are all wrong', { timeout: BUSY_MS }, async () => {
    const component = (index: number): unknown => ({
      name: `component-${index % 9000}`,
      type: 'kustomise',
      dependsOn: [`componnet-${index}`, `component-${(index + 1) % 9000}`],
      propertys: {},
    });
    const application = { metadata: { name: 'app' }, spec: { components: Array.from({ length: 10_000 }, (_, index) => component(index)) } };
    const ms = await cpuMs(() => {
      const { causes, unsupported } = checkApplication(application, options);
      // Types, unknown fields and unknown dependencies of all, a thousand names that stand twice, and one ring.
      expect([causes.length, unsupported.length]).toEqual([11_001, 20_000]);
    });
    expect(ms).toBeLessThan(5_000);
  });

  it('gets it in time, were it one map of twenty thousand wrong names', { timeout: BUSY_MS }, async () => {
    const properties = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`imageRepositor${index}`, 1]));
    const application = { metadata: { name: 'app' }, spec: { components: [{ name: 'a', type: 'kustomize', properties }] } };
    const ms = await cpuMs(() => expect(checkApplication(application, options).causes).toHaveLength(20_002));
    expect(ms).toBeLessThan(5_000);
  });
});
