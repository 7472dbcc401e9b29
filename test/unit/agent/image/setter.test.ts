import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEdits, type Desired, desiredValue, editsOf, type SetterResult } from '#agent/image/setter.ts';

const M = '# {"$imagepolicy": "default:app"}';
const DIG = `sha256:${'a'.repeat(64)}`;

const policies: Record<string, Desired> = {
  'default:app': { image: 'ghcr.io/o/app', tag: 'v2' },
  'default:dig': { image: 'localhost:5000/o/dig', tag: '3', digest: DIG },
  'default:two': { image: 'ghcr.io/o/app', tag: '2' },
  'default:ten': { image: 'ghcr.io/o/app', tag: '1.10' },
  'default:on': { image: 'ghcr.io/o/app', tag: 'on' },
};

function set(text: string): SetterResult & { after: string } {
  const result = editsOf('app.yaml', text, {
    desired(marker) {
      const desired = policies[`${marker.namespace}:${marker.name}`];
      return desired && desiredValue(marker, desired);
    },
    versionOf: (after) => (after.includes('kind: Application') ? `v-${after.includes('o/app:v2') ? 'new' : 'old'}` : undefined),
  });
  return { ...result, after: applyEdits(text, result.edits) };
}

/** `M` and `↵` as the specification writes them. */
function spelled(text: string): string {
  return text.replaceAll(/\bM\b/g, M).replaceAll('↵', '\n');
}

describe('vectors W (§4.5)', () => {
  it.each([
    ['W1', 'image: nginx M', 'image: ghcr.io/o/app:v2 M'],
    ['W2', 'image: "nginx:1" M', 'image: "ghcr.io/o/app:v2" M'],
    ['W3', "image: 'nginx:1' M", "image: 'ghcr.io/o/app:v2' M"],
    ['W4', 'image: nginx@sha256:bb M', 'image: ghcr.io/o/app:v2 M'],
    ['W5', 'image: localhost:5000/x:1 M', 'image: ghcr.io/o/app:v2 M'],
    ['W6', 'n: x # {"$imagepolicy": "default:app:name"}', 'n: ghcr.io/o/app # {"$imagepolicy": "default:app:name"}'],
    ['W7', 't: y # {"$imagepolicy": "default:app:tag"}', 't: v2 # {"$imagepolicy": "default:app:tag"}'],
    ['W9', 'image: x # {"$imagepolicy": "default:dig"}', `image: localhost:5000/o/dig:3@${DIG} # {"$imagepolicy": "default:dig"}`],
    ['W10', 't: y # {"$imagepolicy": "default:dig:tag"}', 't: "3" # {"$imagepolicy": "default:dig:tag"}'],
    ['W11', 'tag: 1 # {"$imagepolicy": "default:two:tag"}', 'tag: "2" # {"$imagepolicy": "default:two:tag"}'],
    ['W13', 'tag: 1.9 # {"$imagepolicy": "default:ten:tag"}', 'tag: "1.10" # {"$imagepolicy": "default:ten:tag"}'],
    ['W15', 'image: x #{"$imagepolicy":"default:app"}', 'image: ghcr.io/o/app:v2 #{"$imagepolicy":"default:app"}'],
    ['W16', 'image: x ## {"$imagepolicy": "default:app"}', 'image: ghcr.io/o/app:v2 ## {"$imagepolicy": "default:app"}'],
    ['W24', 'images:↵- nginx M↵- b', 'images:↵- ghcr.io/o/app:v2 M↵- b'],
    ['W31', 'image: "" M', 'image: "ghcr.io/o/app:v2" M'],
    ['W33', 'image: | M↵  nginx', 'image: |- M↵  ghcr.io/o/app:v2'],
    ['W42', 'image: "{{ .Values.x }}" M', 'image: "ghcr.io/o/app:v2" M'],
    // Nothing but the value changes, where Flux rewrites the file.
    ['W38, on purpose', 'a: 1↵↵# c↵b: 2↵↵image: nginx M↵↵c: 3', 'a: 1↵↵# c↵b: 2↵↵image: ghcr.io/o/app:v2 M↵↵c: 3'],
    ['W40, on purpose', 'a: 1\r↵image: nginx M\r↵', 'a: 1\r↵image: ghcr.io/o/app:v2 M\r↵'],
    ['W43, on purpose', 'a: {{ .x }}↵image: nginx M', 'a: {{ .x }}↵image: ghcr.io/o/app:v2 M'],
    // Flux writes a value of the wrong type.
    ['W30, on purpose', 'image: ~ M', 'image: "ghcr.io/o/app:v2" M'],
    ['a tag that was a number', 'tag: 1 # {"$imagepolicy": "default:app:tag"}', 'tag: v2 # {"$imagepolicy": "default:app:tag"}'],
    ['a word of YAML 1.1', 'tag: x # {"$imagepolicy": "default:on:tag"}', 'tag: "on" # {"$imagepolicy": "default:on:tag"}'],
  ])('%s', (_, before, after) => {
    const result = set(spelled(before));
    expect(result.after).toBe(spelled(after));
    expect(result.problems).toEqual([]);
    expect(set(result.after)).toMatchObject({ edits: [], after: result.after });
  });

  it.each([
    ['W20', 'image: x # {"$imagepolicy": "other:app"}'],
    ['W37', 'image:   "ghcr.io/o/app:v2"   M'],
    ['the same value without quotes', 'image: ghcr.io/o/app:v2 M'],
  ])('%s is left without a word', (_, before) => {
    expect(set(spelled(before))).toMatchObject({ edits: [], problems: [] });
  });

  it.each([
    ['W8', 'd: z # {"$imagepolicy": "default:app:digest"}', 1, 'the marker asks for a digest, which only lateen image set writes'],
    ['W17', "image: x # {'$imagepolicy': 'default:app'}", 1, 'the comment has a marker in single quotes'],
    ['W18', 'image: x # {"$imagepolicy": "default:app"} hi', 1, 'the comment has words after the marker'],
    ['W19', 'image: x # hi {"$imagepolicy": "default:app"}', 1, 'the comment has words before the marker'],
    ['W21', 'image: x # {"$imagepolicy": "default:app:foo"}', 1, 'unknown ending'],
    ['W22', 'M↵image: x', 1, 'the marker stands on a line of its own'],
    ['W23', 'spec: M↵  image: x', 1, 'the marker stands behind a key'],
    ['W26', 'images: M↵- nginx', 1, 'the marker stands behind a key'],
    ['W27', 'c: {name: a, image: nginx} M', 1, 'the marker stands behind a map or a list in one line'],
    ['W29', 'image: M↵other: 1', 1, 'the field has no value'],
    ['W32', 'replicas: 3 M', 1, 'the value 3 is a number, not an image'],
    ['W34', 'cfg: |↵  image: nginx M', 2, 'the marker stands inside of a text'],
    ['W36', 'a: &i nginx↵b: *i M', 2, 'the marker stands behind an alias'],
    ['W41', 'image: {{ .Values.x }} M', 1, 'the line is a template'],
    ['W44', 'image: nginx M↵---↵b: [', 1, 'the file is not YAML (line 3'],
    ['W45', '- image: nginx M', 1, 'the document is a list'],
    ['a boolean', 'image: true M', 1, 'the value true is a boolean'],
    ['a tag of YAML', 'image: !!int 3 M', 1, 'the value has the tag !!int'],
    ['the second of two fields', 'image: a↵image: b M', 2, 'the field image is there twice'],
    ['a document that is a value', 'nginx M', 1, 'the document is a single value'],
  ])('%s is left, and said with its line', (_, before, line, words) => {
    const text = spelled(before);
    const result = set(text);
    expect(result.after).toBe(text);
    expect(result.problems).toEqual([expect.objectContaining({ file: 'app.yaml', line, text: expect.stringContaining(words) as string })]);
  });
});

describe('byte for byte', () => {
  it.each([
    ['a byte order mark', '\uFEFFimage: nginx M\n', '\uFEFFimage: ghcr.io/o/app:v2 M\n'],
    ['an anchor', 'image: &i nginx M↵b: *i', 'image: &i ghcr.io/o/app:v2 M↵b: *i'],
    ['a tag for texts', 'image: !!str nginx M', 'image: !!str ghcr.io/o/app:v2 M'],
    ['a flow map over lines', 'c: {↵  image: nginx, M↵  b: 1↵}', 'c: {↵  image: ghcr.io/o/app:v2, M↵  b: 1↵}'],
    [
      'several documents',
      '# licence↵---↵a: 1↵--- # note↵image: nginx M↵...↵---↵image: "b" M↵',
      '# licence↵---↵a: 1↵--- # note↵image: ghcr.io/o/app:v2 M↵...↵---↵image: "ghcr.io/o/app:v2" M↵',
    ],
    ['a head comment of an item', 'images:↵  M↵  - nginx↵  - b', 'images:↵  M↵  - ghcr.io/o/app:v2↵  - b'],
    ['two lines in quotes', 'image: "ng\\↵  inx" M', 'image: "ghcr.io/o/app:v2" M'],
    ['folded text', 'image: >- M↵    nginx↵    more↵↵b: 1', 'image: >- M↵    ghcr.io/o/app:v2↵↵b: 1'],
    ['spaces and tabs', 'image:   nginx\t  M  ↵', 'image:   ghcr.io/o/app:v2\t  M  ↵'],
    ['letters beyond ASCII', 'a: "é😀"↵image: nginx M', 'a: "é😀"↵image: ghcr.io/o/app:v2 M'],
    ['a key in quotes', '"image": nginx M', '"image": ghcr.io/o/app:v2 M'],
    ['a template around it', '{{- if .Values.x }}↵image: nginx M↵{{- end }}↵', '{{- if .Values.x }}↵image: ghcr.io/o/app:v2 M↵{{- end }}↵'],
    [
      'a template with an item',
      '{{ range .x }}↵  - image: "nginx" M\r↵{{ end }}',
      '{{ range .x }}↵  - image: "ghcr.io/o/app:v2" M\r↵{{ end }}',
    ],
  ])('%s', (_, before, after) => {
    expect(set(spelled(before)).after).toBe(spelled(after));
  });

  it('leaves a text block within a template', () => {
    const text = spelled('{{ if .x }}↵cfg: |↵  sub:↵    image: nginx M↵{{ end }}');
    expect(set(text)).toMatchObject({ after: text, problems: [{ line: 4, text: 'the marker stands inside of a text block' }] });
  });

  it('names the object of each edit, of the items of a List too', () => {
    const text = spelled(
      'apiVersion: v1↵kind: List↵items:↵- kind: Pod↵  apiVersion: v1↵  metadata: {name: p, namespace: n}↵  image: nginx M↵',
    );
    expect(set(text).edits).toMatchObject([
      {
        line: 7,
        object: { kind: 'Pod', apiVersion: 'v1', name: 'p', namespace: 'n' },
        current: 'nginx',
        desired: 'ghcr.io/o/app:v2',
        before: 'nginx',
      },
    ]);
  });
});

describe('publishVersion', () => {
  const V = '# {"$publishversion": "default:app"}';
  const application = (version: string, image: string): string =>
    `kind: Application\nmetadata:\n  annotations:\n    app.oam.dev/publishVersion: ${version} ${V}\nspec:\n  image: ${image} ${M}\n`;

  it('is renewed together with the image, by what the spec then is', () => {
    const result = set(application('1', 'nginx'));
    expect(result.after).toBe(application('v-new', 'ghcr.io/o/app:v2'));
    expect(result.edits.map(({ line }) => line)).toEqual([4, 6]);
    expect(set(result.after).edits).toEqual([]);
  });

  it('stays where no image changes, and where the image is that of another component', () => {
    for (const text of [application('1', 'ghcr.io/o/app:v2'), application('1', 'nginx').replace(M, '# {"$imagepolicy": "default:two"}')])
      expect(set(text).after).toContain('publishVersion: 1 ');
  });

  it('of something else is said', () => {
    const text = `a: 1 ${V}\nimage: nginx ${M}\n`;
    const after = `a: 1 ${V}\nimage: ghcr.io/o/app:v2 ${M}\n`;
    expect(set(text)).toMatchObject({
      after,
      problems: [{ line: 1, text: expect.stringContaining('publishVersion of an Application') as string }],
    });
  });
});

describe('whatever the file', () => {
  it.each([
    ['thousands of markers on lines of their own', Array.from({ length: 10_000 }, () => `  ${M}\n  - ghcr.io/o/app:v1`).join('\n')],
    ['a template with a long line', `{{ if }}\n  a: 1 ${'#'.repeat(300_000)}\u2028 ${M}`],
  ])('holds nobody up: %s', (_, lines) => {
    const begun = performance.now();
    set(`kind: X\nl:\n${lines}\n`);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  const line = fc.oneof(
    fc.constantFrom(
      'image: nginx M',
      '  - image: "a" M',
      'a: |',
      '  text M',
      '{{ if .x }}',
      'b: {c: d} M',
      '---',
      '- x M',
      'M',
      'e: &x y M',
      'f: *x M',
      '? k',
      ': v M',
      'g: [1,',
      '  2 ] M',
      'h:\t"é" M',
      '%YAML 1.1',
      '...',
      "i: 'it''s' M",
      'j: >2',
      '   k',
    ),
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^[ \-:{}[\]|>&*!?#"'a\\,]{0,12}( M)?$/),
  );

  it('only values with a marker change, a second run changes nothing, and nothing throws', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), (lines, end) => {
        const text = lines.join(end).replaceAll(/\bM\b/g, M);
        const { after, edits } = set(text);
        const [before, now] = [text.split('\n'), after.split('\n')];
        if (edits.every(({ before: old }) => !old.includes('\n'))) {
          expect(now.length).toBe(before.length);
          for (const [index, one] of now.entries()) if (one !== before[index]) expect(one).toMatch(/\$imagepolicy|ghcr\.io\/o\/app:v2$/);
        }
        expect(set(after).edits).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
