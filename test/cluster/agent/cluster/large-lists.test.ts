import { expect, it } from 'vitest';
import { adminConnection, configMap, testClient } from '#test/support/api-client.ts';
import { createNamespace } from '#test/support/namespace.ts';

/** Together more than 64 MiB, which is what one answer may have. */
const COUNT = 70;

it('lists objects of a megabyte each', async () => {
  const namespace = await createNamespace();
  const client = testClient(await adminConnection());
  const data = { large: 'x'.repeat(1_040_000) };
  for (let index = 0; index < COUNT; index++) await client.create(configMap(namespace, data, `large-${index}`));
  const kind = await client.kinds.find('v1', 'ConfigMap');
  const found = await client.list(kind!, { namespace });
  expect(found.filter(({ metadata: { name = '' } }) => name.startsWith('large-'))).toHaveLength(COUNT);
});
