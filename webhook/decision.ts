import jsonPatch from 'fast-json-patch';
import { causeSentence } from '#api/check.ts';
import type { Cause } from '#api/failure.ts';
import { isDeeperThan } from '#api/json.ts';
import { mutateApplication } from '#api/mutation.ts';
import { GROUP } from '#api/names.ts';
import { reasonCode } from '#api/reasons.ts';
import { type NamespaceFacts, reviewApplication } from '#api/review.ts';
import type { AdmissionRequest, AdmissionResponse, Status } from './admission-review.ts';

/** What is decided of a request: pure, the same for a dry run. */

export interface DecisionContext {
  namespace: NamespaceFacts | undefined;
  minIntervalMs: number;
}

export interface Decision {
  response: AdmissionResponse;
  verdict: 'allowed' | 'denied' | 'patched' | 'warned' | 'passed';
  /** Of the causes of a denial, else of the warnings; each once. */
  codes: string[];
}

// What a person reads; `lateen check` lists them all.
const MAX_CAUSES = 50;
const MAX_WARNINGS = 10;
const MAX_LEVELS = 500;

/** The answer of the mutating webhook. */
export function decideMutation(request: AdmissionRequest, context: DecisionContext): Decision {
  const { uid, object } = request;
  if (!request.concerned) return passed(uid);
  const mutated = deepSafe(object, () => mutateApplication(request, context.namespace)) ?? object;
  const patch = mutated === object ? [] : jsonPatch.compare(object as object, mutated as object);
  if (patch.length === 0) return { response: { uid, allowed: true }, verdict: 'allowed', codes: [] };
  const encoded = Buffer.from(JSON.stringify(patch)).toString('base64');
  return { response: { uid, allowed: true, patchType: 'JSONPatch', patch: encoded }, verdict: 'patched', codes: [] };
}

/** The answer of the validating webhook. */
export function decideValidation(request: AdmissionRequest, context: DecisionContext): Decision {
  const { uid, name } = request;
  if (!request.concerned) return passed(uid);
  const { denials, warnings } = deepSafe(request.object, () => reviewApplication(request, context)) ?? { denials: [tooDeep], warnings: [] };
  const told = warnings.length > 0 ? { warnings: warningTexts(warnings) } : {};
  const codes = [...new Set((denials.length > 0 ? denials : warnings).map(({ code }) => reasonCode(code)))];
  const audit = codes.length > 0 ? { auditAnnotations: { codes: codes.join(',') } } : {};
  if (denials.length === 0)
    return { response: { uid, allowed: true, ...told, ...audit }, verdict: warnings.length > 0 ? 'warned' : 'allowed', codes };
  return { response: { uid, allowed: false, status: statusOf(name, denials), ...told, ...audit }, verdict: 'denied', codes };
}

function passed(uid: string): Decision {
  return { response: { uid, allowed: true }, verdict: 'passed', codes: [] };
}

const tooDeep: Cause = {
  path: 'spec',
  code: 'TooDeep',
  message: `spec has maps and lists more than ${MAX_LEVELS} levels deep in each other`,
  remedy: 'look at what generates the Application',
};

/** Undefined where an object is nested so deep that walking it ends the stack: that is the user's mistake, not ours. */
function deepSafe<Result>(object: unknown, walk: () => Result): Result | undefined {
  try {
    return walk();
  } catch (error) {
    if (error instanceof RangeError && isDeeperThan(object, MAX_LEVELS)) return undefined;
    throw error;
  }
}

/** 422 Invalid: kubectl prints the causes of `details`, other clients the message, which holds the same. */
function statusOf(name: string, denials: readonly Cause[]): Status {
  const shown = denials.slice(0, MAX_CAUSES);
  const lines = shown.map((cause) => `- ${causeSentence(cause)}`);
  const more = denials.length > shown.length ? [`- and ${denials.length - shown.length} more; lateen check lists them all`] : [];
  const count = denials.length === 1 ? 'one mistake' : `${denials.length} mistakes`;
  return {
    status: 'Failure',
    code: 422,
    reason: 'Invalid',
    message: `Application ${JSON.stringify(name)} has ${count}:\n${[...lines, ...more].join('\n')}`,
    details: {
      group: GROUP,
      kind: 'Application',
      name,
      causes: [...shown.map(toDetail), ...more.map((line) => detail('spec', 'FieldValueInvalid', line.slice(2)))],
    },
  };
}

function toDetail(cause: Cause): { reason: string; message: string; field: string } {
  const says = causeSentence(cause);
  return detail(cause.path, reasonCode(cause.code), says.startsWith(`${cause.path} `) ? says.slice(cause.path.length + 1) : says);
}

function detail(field: string, reason: string, message: string): { reason: string; message: string; field: string } {
  return { reason, message, field };
}

function warningTexts(warnings: readonly Cause[]): string[] {
  const shown = warnings.slice(0, MAX_WARNINGS).map(causeSentence);
  return warnings.length > MAX_WARNINGS
    ? [...shown, `and ${warnings.length - MAX_WARNINGS} more warnings; lateen check lists them all`]
    : shown;
}
