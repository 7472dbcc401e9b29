/** What a scalar means, or why it cannot stand in a Kubernetes object. */
export type Scalar = { value: string | number | boolean | null } | { problem: string; remedy: string };

/**
 * go-yaml v2, resolve.go: the table of sigs.k8s.io/yaml, which kubectl and the API server read with. YAML 1.1 words
 * are booleans, dates stay text.
 */
const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
]);
const NOT_FINITE = /^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|0[bB]([01]+)|([1-9][0-9]*|0))$/;
const TAG = 'tag:yaml.org,2002:';

/** A plain (unquoted, untagged) scalar by go-yaml's table. */
export function resolvePlain(text: string): Scalar {
  const word = WORDS.get(text);
  if (word !== undefined) return { value: word };
  if (NOT_FINITE.test(text)) return { problem: `${text} is no number that JSON has`, remedy: 'quote it, if a text is meant' };
  if (text.startsWith('.')) return number(text);
  if (!/^[-+0-9]/.test(text)) return { value: text };
  const digits = text.replaceAll('_', '');
  return integer(digits) ?? (FLOAT.test(digits) ? number(digits, text) : { value: text });
}

/** A scalar with an explicit tag such as `!!int`; `plain` says whether it stands without quotes. */
export function resolveTagged(tag: string, text: string): Scalar {
  const name = tag.startsWith(TAG) ? tag.slice(TAG.length) : tag;
  if (name === 'str' || name === '!') return { value: text };
  if (name === 'binary') return { value: Buffer.from(text.replace(/\s+/g, ''), 'base64').toString('utf8') };
  const plain = resolvePlain(text);
  if ('problem' in plain) return plain;
  const wanted = {
    int: Number.isInteger(plain.value),
    float: typeof plain.value === 'number',
    bool: typeof plain.value === 'boolean',
    null: plain.value === null,
  };
  if (!(name in wanted)) return { problem: `the tag ${tag.startsWith(TAG) ? `!!${name}` : tag} is not known`, remedy: 'remove the tag' };
  if (wanted[name as keyof typeof wanted]) return plain;
  return { problem: `this is no value for the tag !!${name}`, remedy: 'remove the tag, or correct the value' };
}

function integer(digits: string): Scalar | undefined {
  const match = INTEGER.exec(digits);
  if (!match) return undefined;
  const [, sign, hex, octal, binary, decimal] = match;
  const magnitude = BigInt(hex ? `0x${hex}` : octal ? `0o${octal}` : binary ? `0b${binary}` : (decimal ?? '0'));
  if (magnitude > BigInt(Number.MAX_SAFE_INTEGER)) {
    return { problem: 'this number is larger than 2^53, it would be rounded', remedy: 'quote it, if a text is meant' };
  }
  return { value: sign === '-' && magnitude !== 0n ? -Number(magnitude) : Number(magnitude) };
}

/** Go's ParseFloat refuses what overflows, and the text stays a text. */
function number(digits: string, text = digits): Scalar {
  if (!FLOAT.test(digits)) return { value: text };
  const value = Number(digits);
  if (!Number.isFinite(value)) return { value: text };
  return { value: value === 0 ? 0 : value };
}
