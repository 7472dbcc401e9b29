import { expect, it } from 'vitest';
import type { Application, ApplicationStatus } from '#api/application.ts';
import { outcomes, pendingOf } from '#cli/reconcile-outcome.ts';

const details = {
  branch: 'infra',
  commit: '3f0c9a1d2e4b5f60718293a4b5c6d7e8f9012345',
  subject: 'Add config',
  objects: '2',
  reconciledAt: 'T',
};

function application(status: ApplicationStatus): Application {
  const metadata = { name: 'app', namespace: 'ns', generation: 2 };
  return { apiVersion: 'core.oam.dev/v1beta1', kind: 'Application', metadata, spec: { components: [] }, status };
}

it('waits until every component has carried out this very request', () => {
  const one = application({
    services: [
      { name: 'a', healthy: true, details },
      { name: 'b', healthy: true, details: { ...details, reconciledAt: 'S' } },
    ],
  });
  expect(pendingOf(one, ['a', 'b', 'c'], 'T')).toEqual(['b', 'c']);
});

it('says what was pulled, and what is wrong', () => {
  const failed = { ...details, reason: 'PATH_NOT_FOUND' };
  const one = application({
    services: [
      { name: 'a', healthy: true, details },
      { name: 'b', healthy: false, message: 'the path x is not there', details: failed },
      { name: 'c', healthy: false, message: 'Ready:0/1', details: { ...details, objects: '1' } },
    ],
  });
  expect(outcomes(one, ['a', 'b', 'c'])).toEqual([
    { text: 'a: infra@3f0c9a1 "Add config", 2 objects, healthy', failed: false },
    { text: 'b: PATH_NOT_FOUND: the path x is not there', failed: true },
    { text: 'c: infra@3f0c9a1 "Add config", 1 object, not healthy yet: Ready:0/1', failed: false },
  ]);
});

it('does not wait for an Application that is refused in its current form', () => {
  const refused = { type: 'Admitted', status: 'False' as const, reason: 'UnknownField', message: 'no', lastTransitionTime: '' };
  const now = application({ observedGeneration: 2, conditions: [refused] });
  expect(pendingOf(now, ['a'], 'T')).toEqual([]);
  expect(outcomes(now, ['a'])).toEqual([{ text: 'app: not admitted: UNKNOWN_FIELD: no', failed: true }]);
  const older = application({ observedGeneration: 1, conditions: [refused] });
  expect(pendingOf(older, ['a'], 'T')).toEqual(['a']);
});
