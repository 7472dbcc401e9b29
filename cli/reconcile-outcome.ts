import type { Application, Condition } from '#api/application.ts';
import { detail } from '#api/details.ts';
import { type Reason, reasonCode } from '#api/reasons.ts';
import { oneLine } from '#core/errors.ts';

/** The components that have not carried out the request with that token. None where the Application itself is refused. */
export function pendingOf(application: Application, names: readonly string[], token: string): string[] {
  if (refusal(application)) return [];
  return names.filter((name) => detailsOf(application, name)[detail.reconciledAt] !== token);
}

/** How each component stands, as one line. */
export function outcomes(application: Application, names: readonly string[]): { text: string; failed: boolean }[] {
  const refused = refusal(application);
  if (refused)
    return [
      {
        text: `${application.metadata.name}: not admitted: ${reasonCode(refused.reason as Reason)}: ${oneLine(refused.message ?? '', 4_096)}`,
        failed: true,
      },
    ];
  return names.map((name) => outcome(application, name));
}

function outcome(application: Application, name: string): { text: string; failed: boolean } {
  const service = application.status?.services?.find((one) => one.name === name);
  const {
    [detail.commit]: commit = '',
    [detail.subject]: subject = '',
    [detail.branch]: branch = '',
    ...details
  } = detailsOf(application, name);
  const reason = details[detail.reason];
  const message = oneLine(service?.message ?? '', 4_096);
  if (reason) return { text: `${name}: ${oneLine(reason)}: ${message}`, failed: true };
  const objects = details[detail.objects] ?? '0';
  const at = `${oneLine(branch)}@${commit.slice(0, 7)} ${JSON.stringify(oneLine(subject))}`;
  const health = service?.healthy ? 'healthy' : `not healthy yet${message ? `: ${message}` : ''}`;
  return { text: `${name}: ${at}, ${objects} ${objects === '1' ? 'object' : 'objects'}, ${health}`, failed: false };
}

/** An Application that the agent did not admit in its current form is never pulled. */
function refusal({ metadata, status }: Application): Condition | undefined {
  if (status?.observedGeneration !== metadata.generation) return undefined;
  return status?.conditions?.find(({ type, status: value }) => type === 'Admitted' && value === 'False');
}

function detailsOf(application: Application, name: string): Record<string, string> {
  return application.status?.services?.find((one) => one.name === name)?.details ?? {};
}
