import { describe, expect, it } from 'vitest';
import { commitMessage, type ImageChange, MESSAGE_PREFIX, messageProblem } from '#api/image/message.ts';
import { parseImage } from '#api/image/reference.ts';
import { parseTemplate } from '#api/image/template.ts';

function change(file: string, image: string, tag: string, more: Partial<ImageChange> = {}): ImageChange {
  const parsed = parseImage(image);
  if ('problem' in parsed) throw new Error(parsed.problem.text);
  return {
    file,
    object: { apiVersion: 'v1', kind: 'Pod', name: 'p', namespace: 'default' },
    oldValue: 'nginx',
    newValue: `${image}:${tag}`,
    setter: 'default:app',
    policy: { namespace: 'default', name: 'app' },
    image: { name: parsed.image, tag },
    ...more,
  };
}

function message(text: string | undefined, changes: ImageChange[]): string {
  const parsed = text === undefined ? undefined : parseTemplate(text);
  if (parsed && 'problem' in parsed) throw new Error(parsed.problem.text);
  const context = { automation: { namespace: 'default', name: 'image-gitops' }, changes };
  const rendered = commitMessage(MESSAGE_PREFIX, parsed?.template, context, { sha256: String });
  return 'problem' in rendered ? `!${rendered.problem.text}` : rendered.message;
}

const seed = 'Image: {{range .Updated.Images}}{{println .}}{{end}}';
const two = [
  change('b.yaml', 'nginx', '2'),
  change('a.yaml', 'ghcr.io/o/app', 'v2', { oldValue: 'x', policy: { namespace: 'default', name: 'other' } }),
];

describe('the message of a commit', () => {
  it('is the prefix alone without a template', () => {
    expect(message(undefined, two)).toBe('Update image automatically.');
  });

  it('is byte for byte what the seed promises', () => {
    const one = [change('my-app.yaml', 'ghcr.io/fogdong/test-fog', 'master-cba5605f-1632714412')];
    expect(message(seed, one)).toBe('Update image automatically.\nImage: ghcr.io/fogdong/test-fog:master-cba5605f-1632714412\n');
  });

  it('names an image once, and in the same order whatever the order of the files', () => {
    const text = 'Update image automatically.\nImage: ghcr.io/o/app:v2\nnginx:2\n';
    expect(message(seed, [...two, ...two])).toBe(text);
    expect(message(seed, two.toReversed())).toBe(text);
  });

  it.each([
    ['{{range .Changed.Changes}}{{print .OldValue}} -> {{println .NewValue}}{{end}}', 'nginx -> nginx:2\nx -> ghcr.io/o/app:v2\n'],
    ['{{range $f, $_ := .Updated.Files}}{{$f}};{{end}}', 'a.yaml;b.yaml;'],
    ['{{.AutomationObject}} {{.AutomationObject.Name}}', 'default/image-gitops image-gitops'],
    [
      '{{range $o, $images := .Updated.Objects}}{{$o.Kind}} {{$o.Name}} {{$o.Namespace}} {{$o.APIVersion}}: {{$images}}{{end}}',
      'Pod p default v1: [ghcr.io/o/app:v2 nginx:2]',
    ],
    [
      '{{range $f, $objects := .Changed.FileChanges}}{{$f}}{{range $o, $c := $objects}} {{$o.Kind}} {{range $c}}{{.Setter}}{{end}};{{end}}{{end}}',
      'a.yaml Pod default:app;b.yaml Pod default:app;',
    ],
    [
      '{{range .Updated.Images}}{{.Registry}} {{.Repository}} {{.Identifier}} {{.Name}} {{.Policy.Name}};{{end}}',
      'ghcr.io o/app v2 ghcr.io/o/app:v2 other;index.docker.io library/nginx 2 index.docker.io/library/nginx:2 app;',
    ],
    ['{{ .Updated.Images | join "," }}', 'ghcr.io/o/app:v2,nginx:2'],
    ['{{.Values.a}}', '<no value>'],
    ['{{range $f, $r := .Updated.Files}}{{range $o, $i := $r.Objects}}{{$i}}{{end}}{{end}}', '[ghcr.io/o/app:v2][nginx:2]'],
  ])('%s', (template, text) => {
    expect(message(template, two)).toBe(`Update image automatically.\n${text}`);
  });
});

describe('at admission', () => {
  it('lets the templates of both shapes pass', () => {
    for (const text of [seed, '{{range .Changed.Changes}}{{.NewValue}}{{end}}', '', 'plain']) expect(messageProblem(text)).toBeUndefined();
  });

  it.each([
    ['{{range .Updated.Image}}{{end}}', '.Updated has no field Image; it has Images, Files, Objects', 1, 9],
    ['{{range .Updated.Images}}\n{{.Tag}}{{end}}', 'An image has no field Tag; it has', 2, 3],
    ['{{range .Updated.Images}}', '{{range}} without {{end}}', 1, 1],
    ['{{contains "a" (index .Updated.Images 0)}}', 'contains: argument 2 must be a string, received An image', 1, 3],
  ])('%s', (text, words, line, column) => {
    expect(messageProblem(text)).toEqual({ text: expect.stringContaining(words) as string, line, column });
  });
});
