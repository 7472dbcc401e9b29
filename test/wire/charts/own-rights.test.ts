import { expect, it } from 'vitest';
import { rulesOf } from '#cli/access.ts';
import { ownRules } from '#cli/rbac-rules.ts';
import { objectsOf, only, template } from '#test/support/helm.ts';

it('lateen doctor asks for the rights that the chart of the agent gives it for its own work', async () => {
  const role = only(objectsOf(await template('lateen-agent', 'team-a', '--set-json', 'rbac.rules=[]')), 'Role');
  expect(ownRules('team-a')).toEqual(rulesOf(role));
});
