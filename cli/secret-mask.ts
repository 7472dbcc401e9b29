import { canonicalJson } from '#api/json.ts';
import { isMap } from '#api/schema.ts';

const HIDDEN = '(hidden)';
const CHANGED = '(hidden, changed)';
/** Text that holds a Secret as YAML or JSON, were it JSON in JSON: `kubectl.kubernetes.io/last-applied-configuration`. */
const SECRET_TEXT = /kind\W{1,16}Secret(?:List)?(?!\w)/;
const VALUES = ['data', 'stringData'];

/** Whether a value stands for one that is not shown. */
export function isHidden(value: unknown): boolean {
  return value === HIDDEN || value === CHANGED;
}

/** Both sides of a comparison without the values of Secrets: one that differs from what was before is another word. */
export function hideSecrets<Left, Right>(before: Left, after: Right): [Left, Right] {
  const seen = new Map<string, Set<string>>();
  const remember = (place: string, value: unknown): string => {
    seen.set(place, (seen.get(place) ?? new Set()).add(canonicalJson(value)));
    return HIDDEN;
  };
  const compare = (place: string, value: unknown): string => {
    const known = seen.get(place);
    return known === undefined || known.has(canonicalJson(value)) ? HIDDEN : CHANGED;
  };
  return [hide(before, '', remember) as Left, hide(after, '', compare) as Right];
}

/** What is printed for a value that stands at a place. */
type Word = (place: string, value: unknown) => string;

function hide(value: unknown, path: string, word: Word): unknown {
  if (typeof value === 'string') return SECRET_TEXT.test(value) ? word(path, value) : value;
  if (Array.isArray(value)) return value.map((item, index) => hide(item, `${path}/${index}`, word));
  if (!isMap(value)) return value;
  if (value['kind'] === 'Secret') return hideSecret(value, path, word);
  if (value['kind'] === 'SecretList' && Array.isArray(value['items'])) {
    const items = value['items'].map((item: unknown, index) => (isMap(item) ? hideSecret(item, `${path}/${index}`, word) : HIDDEN));
    return { ...value, items };
  }
  return mapped(value, (name, item) => hide(item, `${path}/${name}`, word));
}

function hideSecret(secret: Record<string, unknown>, path: string, word: Word): Record<string, unknown> {
  const metadata = isMap(secret['metadata']) ? secret['metadata'] : {};
  // By its name, not by where it stands: a list of objects may get another order.
  const place = JSON.stringify(['Secret', metadata['namespace'], metadata['name']]);
  return mapped(secret, (name, item) => {
    if (!VALUES.includes(name)) return hide(item, `${path}/${name}`, word);
    return isMap(item) ? mapped(item, (key, held) => word(`${place}/${name}/${key}`, held)) : word(`${place}/${name}`, item);
  });
}

function mapped(map: Record<string, unknown>, change: (name: string, item: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).map(([name, item]) => [name, change(name, item)]));
}
