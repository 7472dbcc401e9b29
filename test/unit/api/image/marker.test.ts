import { describe, expect, it } from 'vitest';
import { parseMarker } from '#api/image/marker.ts';

describe('markers (§4.2)', () => {
  it.each([
    ['# {"$imagepolicy": "default:app"}', 'image'],
    ['#{"$imagepolicy":"default:app"}', 'image'],
    ['## {"$imagepolicy": "default:app"}', 'image'],
    ['#   { "$imagepolicy" : "default:app" , "note": "x" }', 'image'],
    ['# {"$imagepolicy": "default:app:name"}', 'name'],
    ['# {"$imagepolicy": "default:app:tag"}', 'tag'],
    ['# {"$imagepolicy": "default:app:digest"}', 'digest'],
  ])('%s', (comment, part) => {
    expect(parseMarker(comment)).toMatchObject({ marker: { kind: 'image', namespace: 'default', name: 'app', part } });
  });

  it('has one of ours for publishVersion', () => {
    expect(parseMarker('# {"$publishversion": "default:app"}')).toMatchObject({ marker: { kind: 'publishVersion', name: 'app' } });
  });

  it.each([
    [`# {'$imagepolicy': 'default:app'}`, /single quotes/],
    ['# {"$imagepolicy": "default:app"} hi', /words after/],
    ['# hi {"$imagepolicy": "default:app"}', /words before/],
    ['# {"$imagepolicy": "default:app:foo"}', /unknown ending/],
    ['# {"$imagepolicy": "default:app:tag:x"}', /unknown ending/],
    ['# {"$imagepolicy": "default:app:constructor"}', /unknown ending/],
    ['# {"$imagepolicy": "app"}', /names no component/],
    ['# {"$imagepolicy": "default/app"}', /names no component/],
    ['# {"$imagepolicy": " default:app"}', /names no component/],
    ['# {"$imagepolicy": ":app"}', /names no component/],
    ['# {"$imagepolicy": "default:app", "n": 1}', /no string/],
    ['# {"$imagepolicy": "default:app"} {"$imagepolicy": "default:b"}', /two markers/],
    ['# {"$imagepolicy": "a:b", "$publishversion": "a:b"}', /two markers/],
    ['# {"$imagepolicy" "default:app"}', /not JSON/],
    ['# {"$publishversion": "default:app:tag"}', /part too many/],
  ])('%s cannot be used', (comment, words) => {
    const parsed = parseMarker(comment);
    expect(parsed && 'problem' in parsed && parsed.problem.text).toMatch(words);
  });

  it('leaves other comments alone', () => {
    expect(parseMarker('# imagepolicy')).toBeUndefined();
  });
});
