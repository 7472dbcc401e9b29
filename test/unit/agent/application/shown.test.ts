import { expect, it } from 'vitest';
import { shown } from '#agent/application/shown.ts';
import type { ApplicationStatus } from '#api/application.ts';
import { createRedactor } from '#core/redact.ts';

it('a status shows no secret in what others have said, and keeps the names that are spelt like one', () => {
  const redactor = createRedactor();
  redactor.register('shop');
  const service = {
    name: 'shop',
    message: 'the registry says: shop is no password',
    details: { branch: 'shop', imageMessage: 'shop?', subject: 'shop' },
  };
  const workflow = { steps: [{ name: 'shop', message: 'shop' }] };
  const status = { services: [service], conditions: [{ type: 'Ready', message: 'shop' }], workflow } as unknown as ApplicationStatus;
  expect(shown(status, redactor.scrub)).toEqual({
    services: [
      { name: 'shop', message: 'the registry says: *** is no password', details: { branch: 'shop', imageMessage: '***?', subject: '***' } },
    ],
    conditions: [{ type: 'Ready', message: '***' }],
    workflow: { steps: [{ name: 'shop', message: '***' }] },
  });
});
