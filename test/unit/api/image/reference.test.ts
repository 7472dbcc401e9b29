import { describe, expect, it } from 'vitest';
import { parseImage, parseReference } from '#api/image/reference.ts';

function canonical(text: string): string {
  const parsed = parseImage(text);
  return 'image' in parsed ? parsed.image.canonical : `! ${parsed.problem.text}`;
}

describe('the name of an image (§1.1)', () => {
  it.each([
    ['nginx', 'index.docker.io/library/nginx'],
    ['docker.io/nginx', 'index.docker.io/library/nginx'],
    ['registry-1.docker.io/nginx', 'index.docker.io/library/nginx'],
    ['index.docker.io/library/nginx', 'index.docker.io/library/nginx'],
    ['myreg/o/app', 'index.docker.io/myreg/o/app'],
    ['localhost/foo', 'index.docker.io/localhost/foo'],
    ['localhost:5000/foo', 'localhost:5000/foo'],
    ['127.0.0.1:5000/x/y', '127.0.0.1:5000/x/y'],
    ['foo.localhost/ab', 'foo.localhost/ab'],
    ['[::1]:5000/ab', '[::1]:5000/ab'],
    ['example.com:9999/foo/bar', 'example.com:9999/foo/bar'],
    ['ghcr.io/o/app/', 'ghcr.io/o/app/'],
  ])('%s', (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  it.each([
    ['ghcr.io/o/A', /capital letters/],
    ['a', /not the name of an image/],
    ['', /is empty/],
    ['ghcr.io/o/app:1', /carries a tag/],
    ['ghcr.io/o/app@sha256:aa', /carries a digest/],
    ['https://ghcr.io/o/app', /has a scheme/],
    ['nginx:1', /carries a tag/],
    ['ghcr.io/o/app b', /not the name of an image/],
    ['gh cr.io/o/app', /no host/],
  ])('%s is refused', (text, words) => {
    expect(canonical(text)).toMatch(words);
  });

  it('keeps what was written', () => {
    expect(parseImage('nginx')).toMatchObject({ image: { text: 'nginx', registry: 'index.docker.io', repository: 'library/nginx' } });
  });
});

describe('an image with tag and digest', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  it.each([
    ['nginx:1', { tag: '1' }],
    ['localhost:5000/xx:1', { tag: '1' }],
    ['localhost:5000/xx', {}],
    [`ghcr.io/o/app@${digest}`, { digest }],
    [`ghcr.io/o/app:v1@${digest}`, { tag: 'v1', digest }],
  ])('%s', (text, rest) => {
    const parsed = parseReference(text);
    expect(parsed).toMatchObject({ reference: rest });
    expect('reference' in parsed && Object.keys(parsed.reference).sort()).toEqual(['name', ...Object.keys(rest)].sort());
  });

  it.each(['nginx:', 'nginx:-a', 'nginx:a b', 'nginx@sha256:zz', 'nginx@', ':1'])('%s is refused', (text) => {
    expect(parseReference(text)).toHaveProperty('problem');
  });
});
