import { expect, it } from 'vitest';
import { kustomizeProgram } from '#cli/kustomize-program.ts';

const nothing = { PATH: '', HOME: '/nonexistent' };

it.each([
  [{ ...nothing, LATEEN_KUSTOMIZE: '/b/kustomize' }, '/a/kustomize', '/a/kustomize'],
  [{ ...nothing, LATEEN_KUSTOMIZE: '/b/kustomize' }, undefined, '/b/kustomize'],
  [{ ...nothing, LATEEN_KUSTOMIZE: 'kustomize-5' }, undefined, 'kustomize-5'],
  [nothing, undefined, 'kustomize'],
])('of %j and --kustomize %s is %s', (env, given, program) => {
  expect(kustomizeProgram({ env }, given)).toBe(program);
});
