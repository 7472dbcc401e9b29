import { afterAll, beforeAll } from 'vitest';
import { type Repositories, startRepositories } from './repositories.ts';
import { standingFor } from './standing-for.ts';
import { startTenant, type Tenant, type TenantOptions } from './tenant.ts';

/** A Git server and a namespace with a running agent, for the tests of one file. */
export function tenancy(options: TenantOptions & { git?: Parameters<typeof startRepositories>[0] } = {}): {
  repositories: Repositories;
  tenant: Tenant;
} {
  const { git, ...tenantOptions } = options;
  let repositories: Repositories | undefined;
  let tenant: Tenant | undefined;

  beforeAll(async () => {
    [repositories, tenant] = await Promise.all([startRepositories(git), startTenant(tenantOptions)]);
  });

  afterAll(async () => {
    await tenant?.close();
    await repositories?.close();
  });

  return { repositories: standingFor(() => repositories), tenant: standingFor(() => tenant) };
}
