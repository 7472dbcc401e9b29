import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cpuMs } from '#test/support/cpu-time.ts';
import { readYaml } from '#agent/manifest/yaml.ts';

interface Recorded {
  yaml: string;
  json?: string;
  error?: boolean;
}

const recorded = JSON.parse(
  readFileSync(new URL('../../../fixtures/manifest/kubectl-scalars.json', import.meta.url), 'utf8'),
) as Recorded[];

/** Where we refuse what kubectl takes, since it would change the value in silence, or is no JSON-like text. */
const STRICTER = new Set([
  'a: 9007199254740993',
  'a: 18446744073709551616',
  '1.5: f',
  '.5: 1',
  'a: !foo 1',
  'a: !!set {b}',
  'a: !!timestamp 2001-01-01',
  'a: 1\na: 2',
]);
/** The library takes this JSON escape, go-yaml does not. */
const LAXER = new Set(['a: "\\/"']);

function values(text: string | Buffer): unknown[] {
  const { documents, causes } = readYaml(text, 'f.yaml');
  expect(causes).toEqual([]);
  return documents.map(({ value }) => value);
}

function mistakes(text: string | Buffer): string[] {
  const { causes } = readYaml(text, 'f.yaml');
  return causes.map(({ code, file, line, message }) => `${code} ${file}:${line}: ${message}`);
}

describe('reads as kubectl does', () => {
  it.each(recorded.filter(({ yaml }) => !STRICTER.has(yaml) && !LAXER.has(yaml)))('$yaml', ({ yaml, json, error }) => {
    const { documents, causes } = readYaml(yaml, 'f.yaml');
    expect({ refused: causes.length > 0, value: causes.length > 0 ? undefined : (documents[0]?.value ?? null) }).toEqual({
      refused: error === true,
      // Through JSON once more: Go writes -0, which JSON.stringify does not.
      value: json === undefined ? undefined : (JSON.parse(JSON.stringify(JSON.parse(json))) as unknown),
    });
  });

  it.each([...STRICTER])('but refuses %j', (yaml) => {
    expect(readYaml(yaml, 'f.yaml').causes.map(({ code, line }) => `${code} ${line}`)).toEqual([
      `InvalidYAML ${yaml === 'a: 1\na: 2' ? 2 : 1}`,
    ]);
  });
});

it('gives the documents with their lines, and leaves empty ones out', () => {
  const { documents } = readYaml('# one\n---\n\na: 1\n---\n# none\n---\nb:\n  c:\n  - x\n  - z: 0755\n...\n', 'f.yaml');
  expect(documents.map(({ value, line }) => ({ value, line }))).toEqual([
    { value: { a: 1 }, line: 4 },
    { value: { b: { c: ['x', { z: 493 }] } }, line: 8 },
  ]);
  const second = documents[1];
  expect([['b'], ['b', 'c'], ['b', 'c', 1], ['b', 'c', 1, 'z'], ['b', 'nope', 'x'], []].map((path) => second?.lineOf(path))).toEqual([
    8, 9, 11, 11, 8, 8,
  ]);
  expect(second?.sourceOf(['b', 'c', 1, 'z'])).toBe('0755');
});

it('collects all mistakes, and still gives the documents without one', () => {
  const text = 'a: [1\n---\nb: 1\nb: 2\nc: .inf\n---\nd: 1\n---\n"e: 1\n';
  expect(mistakes(text)).toEqual([
    expect.stringMatching(/^InvalidYAML f\.yaml:[12]: not YAML: /),
    'InvalidYAML f.yaml:4: the key b is there twice',
    'InvalidYAML f.yaml:5: .inf is no number that JSON has',
    expect.stringMatching(/^InvalidYAML f\.yaml:(9|10): not YAML: /),
  ]);
  expect(readYaml(text, 'f.yaml').documents.map(({ value }) => value)).toEqual([{ d: 1 }]);
});

it('takes a byte order mark and CRLF, refuses UTF-16, other encodings and control characters', () => {
  expect(values(Buffer.from('\ufeffa: 1\r\nb: |\r\n  x\r\n'))).toEqual([{ a: 1, b: 'x\n' }]);
  expect(mistakes(Buffer.from('\ufeffa: 1', 'utf16le'))).toEqual(['InvalidYAML f.yaml:undefined: the file is UTF-16']);
  expect(mistakes(Buffer.from([0x61, 0x3a, 0x20, 0xe9, 0x0a]))).toEqual(['InvalidYAML f.yaml:undefined: the file is not UTF-8 text']);
  expect(mistakes('a: 1\nb: x\u0000y\n')).toEqual(['InvalidYAML f.yaml:2: a control character is not allowed in YAML']);
});

it('keeps __proto__ an ordinary key', () => {
  const [value] = values('__proto__: {polluted: true}\nx: &x {__proto__: {a: 1}}\nz:\n  <<: *x\n');
  expect(Object.keys(value as object)).toEqual(['__proto__', 'x', 'z']);
  expect(JSON.stringify(value)).toBe('{"__proto__":{"polluted":true},"x":{"__proto__":{"a":1}},"z":{"__proto__":{"a":1}}}');
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

it('reads JSON as JSON.parse does', () => {
  // Without integers beyond 2^53, which are refused, and DEL, which go-yaml refuses.
  const json = fc.jsonValue().filter((value) => value !== null && !/\d{16}|\u007f/.test(JSON.stringify(value)));
  fc.assert(
    fc.property(json, (value) => {
      const text = JSON.stringify(value);
      expect(values(text)).toEqual([JSON.parse(text)]);
    }),
  );
});

it('takes any text without throwing', () => {
  const pieces = fc.constantFrom(
    'a',
    ': ',
    '- ',
    '\n',
    '  ',
    '&x ',
    '*x',
    '<<: ',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '|',
    '>',
    '!!int ',
    '!',
    '#',
    '---\n',
    '...',
    '0x',
    '~',
    ',',
    '? ',
    '%',
    '\t',
    '@',
    'é',
    '\ud800',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      const { documents, causes } = readYaml(parts.join(''), 'f.yaml');
      expect(causes.every(({ file, line }) => file === 'f.yaml' && (line === undefined || line >= 1))).toBe(true);
      expect(() => JSON.stringify(documents.map(({ value }) => value))).not.toThrow();
    }),
    { numRuns: 1_000 },
  );
});

it('does not repeat the file in its mistakes', () => {
  const secret = 'hunter22';
  const texts = [
    `a: "${secret}`,
    `a: |${secret}\n`,
    `a: ${secret}: b: c`,
    `a\n${secret} b\nc: 1`,
    `- ${secret}\n${secret}`,
    `a: !!int ${secret}`,
    `{a: ${secret}`,
    `"a" ${secret}`,
  ];
  for (const text of texts) {
    const { causes } = readYaml(text, 'f.yaml');
    expect(causes.length, text).toBeGreaterThan(0);
    expect(JSON.stringify(causes), text).not.toContain(secret);
  }
});

it('says that a file looks like a Helm template', () => {
  const { causes } = readYaml('a: 1\n{{- if .Values.x }}\nb: {{ .Values.y }}\n{{- end }}\n', 'f.yaml');
  expect(causes.map(({ remedy }) => remedy)).toEqual(['this looks like a Helm template: render it first, or move it out of the path']);
});

describe('attacks', () => {
  const BOMB = 'the aliases of this document expand to too much, as those of an alias bomb do';

  it('refuses an alias bomb, in a moment', async () => {
    const levels = Array.from(
      { length: 30 },
      (_, level) =>
        `l${level}: &l${level} [${
          level === 0
            ? 'x'
            : Array(9)
                .fill(`*l${level - 1}`)
                .join(', ')
        }]`,
    );
    const ms = await cpuMs(() => expect(mistakes(levels.join('\n'))).toEqual([`InvalidYAML f.yaml:7: ${BOMB}`]));
    expect(ms).toBeLessThan(2_000);
  });

  it('takes 900 honest aliases, not 1001', () => {
    const uses = (count: number): string => `a: &a 1\nb: [${Array(count).fill('*a').join(', ')}]`;
    expect(values(uses(900))).toEqual([{ a: 1, b: Array(900).fill(1) }]);
    expect(mistakes(uses(1_001))).toEqual([`InvalidYAML f.yaml:2: ${BOMB}`]);
    expect(mistakes(uses(1_100))).toHaveLength(1);
  });

  it('refuses values that hold themselves', () => {
    expect(mistakes('a: &a [*a]')).toEqual(['InvalidYAML f.yaml:1: the alias *a has no anchor before it']);
  });

  it.each([65, 1_000, 20_000])('refuses %i levels', async (depth) => {
    const text = `a: ${'['.repeat(depth)}${']'.repeat(depth)}`;
    const refusal = [expect.stringMatching(/nested (too deep|deeper than 64 levels)/)];
    expect(await cpuMs(() => expect(mistakes(text)).toEqual(refusal))).toBeLessThan(2_000);
  });

  it('reads 20 000 keys in less than 2 s of the processor, and finds the one that is there twice', async () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: ${index}`).join('\n');
    const mistake = ['InvalidYAML f.yaml:20001: the key k7 is there twice'];
    expect(await cpuMs(() => expect(mistakes(`${keys}\nk7: 1\n`)).toEqual(mistake))).toBeLessThan(2_000);
  });

  it('refuses more than 5 000 documents unread', () => {
    const { documents, causes } = readYaml('---\na: 1\n'.repeat(5_001), 'f.yaml');
    expect({ documents, codes: causes.map(({ code }) => code) }).toEqual({ documents: [], codes: ['TooLarge'] });
  });

  it('refuses tags of programming languages', () => {
    expect(mistakes('a: !!js/function "function () {}"')).toEqual(['InvalidYAML f.yaml:1: the tag !!js/function is not known']);
  });
});
