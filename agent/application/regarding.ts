import type { Application } from '#api/application.ts';

/** An Application as an Event names it. */
export function regarding({ apiVersion, kind, metadata }: Application): Pick<Application, 'apiVersion' | 'kind' | 'metadata'> {
  return { apiVersion, kind, metadata };
}
