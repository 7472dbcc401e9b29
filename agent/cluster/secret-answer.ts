import type { ApiCause } from './api-error.ts';

/**
 * What an answer about a Secret says, in words of ours. The API server, an admission webhook and a conversion may all
 * quote the object, so nothing of an answer is passed on: neither in a sentence nor to the log. What is recognised here
 * is said anew; parts of the answer appear only where they are a name of a closed form, and never the values or, beyond
 * the keys that Kubernetes itself asks for, the keys of its data.
 */
export function secretAnswer(message: string, causes: readonly ApiCause[]): { message: string; causes: ApiCause[] } {
  const shown = causes.map(ofCause);
  if (shown.length > 0) {
    return {
      message: `the Secret is invalid: ${shown.map(({ field, message: words }) => `${field}: ${words}`).join(', ')}`,
      causes: shown,
    };
  }
  for (const [pattern, words] of SAID) {
    const found = pattern.exec(message);
    if (found) return { message: words(found), causes: [] };
  }
  return { message: WITHHELD, causes: [] };
}

const WITHHELD = 'its words are not shown, since they may hold what is in the Secret';

/** First match wins. The phrases are those that the rest of the client looks for. */
const SAID: readonly (readonly [RegExp, (found: RegExpExecArray) => string])[] = [
  [
    /cannot (get|list|watch|create|update|patch|delete) resource "secrets" in API group ""/,
    ([, verb]) => `the agent cannot ${verb} resource "secrets" in API group ""`,
  ],
  [/being terminated/, () => 'the namespace is being terminated'],
  [/UID in (the )?precondition/, () => 'the UID in precondition is that of another object'],
  [/the object has been modified/, () => 'the object has been modified'],
  [/exceeded quota/, () => 'the quota of the namespace is exceeded'],
  [
    /admission webhook "([-a-z0-9.]{1,253})" denied the request/,
    ([, name]) => `the admission webhook ${name} denied the request; ${WITHHELD}`,
  ],
  [/failed calling webhook "([-a-z0-9.]{1,253})"/, ([, name]) => `failed calling webhook ${name}`],
  [/^failed to create typed patch object/, ({ input }) => `failed to create typed patch object (Secret): ${typedText(input)}`],
  [/illegal base64 data/, () => 'unable to convert unstructured object: a value of data is not base64'],
  [/unable to convert unstructured object/, () => `unable to convert unstructured object; ${WITHHELD}`],
  [/^etcdserver: (request timed out|leader changed|too many requests)/, ([, what]) => `etcdserver: ${what}`],
  [/not found$/, () => 'it is not there'],
];

const REASONS: Record<string, string> = {
  FieldValueRequired: 'Required value',
  FieldValueInvalid: 'Invalid value',
  FieldValueForbidden: 'Forbidden',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueTooLong: 'Too long',
  FieldValueTypeInvalid: 'Invalid type',
};

function ofCause({ field = '', message = '', reason = '' }: ApiCause): ApiCause {
  const words = /field is immutable/.test(message) ? 'field is immutable' : (REASONS[reason] ?? 'not allowed');
  return { field: shownPath(field), message: words };
}

/** `.stringData.pin: expected string, got …` without the key and without what was got. */
function typedText(message: string): string {
  const found = /(\.\S*): (expected (?:string|map|list|boolean|numeric \(int or float\))|field not declared in schema)/.exec(message);
  const [, path = '', words] = found ?? [];
  if (words === undefined) return WITHHELD;
  // A field that a Secret does not have is at its top: a name that somebody has misspelt.
  return `${/^\.[A-Za-z]{1,20}$/.test(path) ? path : shownPath(path)}: ${words}`;
}

/** Keys that the types of Secrets demand. */
const KNOWN_KEYS = 'tls\\.crt|tls\\.key|\\.dockercfg|\\.dockerconfigjson|username|password|ssh-privatekey';
const DATA = new RegExp(`^(\\.?(?:data|stringData))(?:\\[(?:${KNOWN_KEYS})\\])?`);
const METADATA =
  /^\.?(apiVersion|kind|type|immutable|metadata(\.(name|generateName|namespace|uid|labels|annotations|finalizers|ownerReferences)(\[[a-z0-9.-]*kubernetes\.io\/[-\w.]{1,63}\])?)?)$/;

function shownPath(path: string): string {
  return METADATA.test(path) ? path : (DATA.exec(path)?.[0] ?? 'a field');
}
