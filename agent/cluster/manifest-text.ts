/**
 * Server-side apply answers a value of a wrong type, a key that is there twice and a quantity that is none with status
 * 500, as if something were broken (measured with Kubernetes 1.36).
 */
const MISTAKE =
  /^failed to (?:create typed patch object|convert new object) \([^)]*\)(?: to proper version)?: (?:unable to convert unstructured object to [^:]*: )?([^]*)$/;
/** What `secret-answer.ts` leaves of it. */
const CONVERSION = /^unable to convert unstructured object[:;] ([^]*)$/;

const MAX_SHOWN = 5;

/** What is wrong with a manifest, for its author; undefined where the answer is about something else. */
export function manifestText(message: string): string | undefined {
  const rest = (MISTAKE.exec(message) ?? CONVERSION.exec(message))?.[1];
  if (rest === undefined) return undefined;
  const lines = rest
    .replace(/^errors:\n/, '')
    .split('\n')
    .map((line) => line.trim());
  // A text over several lines is quoted as it is: only its first line has a path.
  const [first = '', ...more] = lines;
  const all = [first, ...more.filter((line) => /^\.\S*.*: (expected|duplicate|field not) /.test(line))];
  return all.slice(0, MAX_SHOWN).map(readable).join('; ');
}

function readable(line: string): string {
  // The value may hold any character, and the same words again and again: the end of the line is never looked for twice.
  const typed = /^(.*?: )?expected (.+?), got (.+)$/s.exec(line);
  if (typed) return `${typed[1] ?? ''}expected ${expected(typed[2] ?? '')}, got ${got(typed[3] ?? '')}`;
  if (line.startsWith('quantities must match')) return `a quantity (cpu, memory, storage) is not of the form 500m or 1Gi: ${line}`;
  return line;
}

function expected(kind: string): string {
  return kind.replace('numeric (int or float)', 'number');
}

/** `&value.valueUnstructured{Value:8080}`, `&{map[a:1]}` and `string`, as they come out of Go. */
function got(dump: string): string {
  const value = /^&value\.valueUnstructured\{Value:(.*?)\}?$/.exec(dump)?.[1];
  const plain = value ?? /^&\{(.*?)\}?$/.exec(dump)?.[1];
  if (plain === undefined) return /^[a-z0-9 ]{1,30}$/.test(dump) ? `a ${dump}` : 'something else';
  if (plain.startsWith('map[')) return 'a map';
  if (plain.startsWith('[')) return 'a list';
  if (value === undefined) return 'a single value';
  if (/^-?[\d.]+(e[+-]?\d+)?$/.test(value)) return `a number (${value})`;
  if (value === 'true' || value === 'false') return `a boolean (${value})`;
  return value.startsWith('"') ? 'a string' : 'something else';
}
