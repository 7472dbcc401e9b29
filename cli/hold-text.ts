import type { Application } from '#api/application.ts';

/** What is said where a roll-out of an Application from Git had to become a hold. */
export function heldText({ metadata: { name } }: Application, parent: string, revision: string): string {
  return [
    `Held: ${name} runs ${revision} now. It comes from Git (Application ${parent}), which stays as it is:`,
    `what Git says has no effect until lateen resume ${name}.`,
    '',
  ].join('\n');
}
