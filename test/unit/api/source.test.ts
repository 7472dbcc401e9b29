import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cause } from '#api/failure.ts';
import { branchRule } from '#api/git-ref.ts';
import { normalizePath, pathRule } from '#api/path.ts';
import { displayUrl, urlRule } from '#api/source-url.ts';
import { PROPERTIES, gitOpsApplication, mistakesOf } from './cases.ts';

/** [what is written, what is said, how it is shown, the remedy] */
type Case = [written: string, says: string, shown: string, remedy: string];

function expected(at: string, code: Cause['code'], [, says, value, remedy]: Case): Cause[] {
  const path = `${PROPERTIES}.${at}`;
  return [{ path, code, message: `${path} ${says}`, value, remedy }];
}

describe('url', () => {
  it.each([
    'https://git.example.com/infra',
    'http://127.0.0.1:3000/infra.git',
    'HTTPS://git.example.com/infra',
    'https://[::1]:8443/infra',
    'https://git.example.com/team%20a/in.fra~1',
    'https://git.example.com/infra@v1',
    'https://git.example.com',
  ])('%s is fine', (url) => {
    expect(mistakesOf(gitOpsApplication({ url }))).toEqual([]);
  });

  const noScheme = 'must start with https:// or http://';
  const host = ['must name a host that can be one', 'write https://HOST/PATH'] as const;
  const user = ['must not hold a user or a password', 'put them into a Secret and name it in secretRef'] as const;
  const cases: Case[] = [
    ['', 'must not be empty', '', 'write the URL of the repository'],
    ['git.example.com/infra', noScheme, 'git.example.com/infra', 'use https://'],
    ['/srv/git/infra', noScheme, '/srv/git/infra', 'use https://'],
    [
      'git@git.example.com:team/infra',
      'must not have the form user@host:path',
      '***@git.example.com:team/infra',
      'write it as https://host/path',
    ],
    ['git.example.com:team/infra', 'must not have the form user@host:path', 'git.example.com:team/infra', 'write it as https://host/path'],
    ['file:///srv/infra', `${noScheme}, received "file://"`, 'file:///srv/infra', 'use https://'],
    ['git://git.example.com/infra', `${noScheme}, received "git://"`, 'git://git.example.com/infra', 'use https://'],
    ['ext::sh -c id', 'must not hold spaces', 'ext::sh -c id', 'remove them, or write %20'],
    ['EXT::sh', 'must not name a remote helper', 'EXT::sh', 'use https://'],
    ['fd::17', 'must not name a remote helper', 'fd::17', 'use https://'],
    ['--upload-pack=id', 'must not start with "-"', '--upload-pack=id', 'start it with https://'],
    ['https://git.example.com/a\nb', 'must not hold control characters', 'https://git.example.com/a\\u000ab', 'remove them'],
    ['https://git.example.com/a b', 'must not hold spaces', 'https://git.example.com/a b', 'remove them, or write %20'],
    ['https://git.example.com\\infra', 'must not hold a backslash', 'https://git.example.com\\infra', 'separate with /'],
    ['https:///infra', 'must name a host', 'https:///infra', 'write https://HOST/PATH'],
    ['https://:443/infra', 'must name a host', 'https://:443/infra', 'write https://HOST/PATH'],
    ['https://-oProxyCommand=id/infra', host[0], 'https://-oProxyCommand=id/infra', host[1]],
    ['https://git.example.com:99999/infra', host[0], 'https://git.example.com:99999/infra', host[1]],
    ['https://git..%65xample/infra', host[0], 'https://git..%65xample/infra', host[1]],
    ['https://robot:hunter2@git.example.com/infra', user[0], 'https://***@git.example.com/infra', user[1]],
    ['https://hunter2@git.example.com/infra', user[0], 'https://***@git.example.com/infra', user[1]],
    ['https://robot:hun/ter2@git.example.com/infra', host[0], 'https://***@git.example.com/infra', host[1]],
    ['https://robot:hun?ter2@git.example.com/infra', host[0], 'https://***', host[1]],
    [
      'https://git.example.com/infra?token=hunter2',
      'must not have a query',
      'https://git.example.com/infra?***',
      'remove everything from the ? on',
    ],
    [
      'https://git.example.com/infra#hunter2',
      'must not have a fragment',
      'https://git.example.com/infra#***',
      'remove everything from the # on',
    ],
    [`https://h/${'a'.repeat(2048)}`, 'must have at most 2048 characters', `https://h/${'a'.repeat(69)}…`, 'use a shorter URL'],
  ];
  it.each(cases)('%s', (...given) => {
    expect(mistakesOf(gitOpsApplication({ url: given[0] }))).toEqual(expected('url', 'InvalidURL', given));
  });

  // A port is nothing that the first look knows, so it takes the long way.
  it('that is right at first sight is right by the rules', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9.-]{1,12}$/), fc.stringMatching(/^\/[\w./-]{0,12}$/), (host, path) => {
        const plain = urlRule(`https://${host}${path}`).length === 0;
        const slow = urlRule(`https://${host}:443${path}`).length === 0;
        if (plain) expect(slow).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    for (const host of ['xn--.example.com', 'a.0x', 'a.0xf']) expect(urlRule(`https://${host}/a`)).toHaveLength(1);
  });

  it('never shows a password, wherever it stands', () => {
    const secret = fc.stringMatching(/^[a-z0-9/:@?#]{0,6}hunter2[a-z0-9/:?#]{0,6}$/);
    const url = fc.tuple(fc.constantFrom('https://', 'http://', 'ssh://', 'ftp://', 'https:/', ''), secret);
    fc.assert(
      fc.property(url, ([scheme, password]) => {
        const written = `${scheme}robot:${password}@git.example.com/infra?key=${password}`;
        expect(displayUrl(written)).not.toContain('hunter2');
        expect(JSON.stringify(mistakesOf(gitOpsApplication({ url: written })))).not.toContain('hunter2');
      }),
      // The user reads as a scheme, and there is no host.
      { examples: [[['', '///hunter2']]], numRuns: 3_000 },
    );
  });
});

describe('path', () => {
  it.each([
    ['./infrastructure', 'infrastructure'],
    ['infrastructure/', 'infrastructure'],
    ['.', ''],
    ['./', ''],
    ['a//b/./c', 'a/b/c'],
    ['a/..b/c..', 'a/..b/c..'],
    ['mit Leerzeichen/ü', 'mit Leerzeichen/ü'],
  ])('%s is the folder "%s"', (path, folder) => {
    expect(mistakesOf(gitOpsApplication({ path }))).toEqual([]);
    expect(normalizePath(path)).toBe(folder);
  });

  const inside = ['must stay inside the repository', 'write the path without ..'] as const;
  const relative = 'must be relative to the root of the repository';
  const cases: Case[] = [
    ['', 'must not be empty, received ""', '', 'write "." for the whole repository'],
    ['../../var/run/secrets', `${inside[0]}, received "../../var/run/secrets"`, '../../var/run/secrets', inside[1]],
    ['a/..', `${inside[0]}, received "a/.."`, 'a/..', inside[1]],
    ['./a/../b', `${inside[0]}, received "./a/../b"`, './a/../b', inside[1]],
    ['/etc', `${relative}, received "/etc"`, '/etc', 'write ./etc'],
    ['/', `${relative}, received "/"`, '/', 'write .'],
    ['~/x', `${relative}, received "~/x"`, '~/x', 'write it without ~'],
    ['a\\..\\b', 'must not hold a backslash, received "a\\..\\b"', 'a\\..\\b', 'separate folders with /'],
    ['%2e%2e/x', 'must not hold percent escapes, received "%2e%2e/x"', '%2e%2e/x', 'write the characters themselves'],
    ['a%2Fb', 'must not hold percent escapes, received "a%2Fb"', 'a%2Fb', 'write the characters themselves'],
    ['a\0b', 'must not hold control characters, received "a\\u0000b"', 'a\\u0000b', 'remove them'],
    ['a'.repeat(1025), `must have at most 1024 characters, received "${'a'.repeat(79)}…"`, `${'a'.repeat(79)}…`, 'use a shorter path'],
  ];
  it.each(cases)('%j', (...given) => {
    expect(mistakesOf(gitOpsApplication({ path: given[0] }))).toEqual(expected('path', 'InvalidPath', given));
  });

  it('that is right at first sight is right by the rules', () => {
    // A letter that the first look does not know: it takes the long way.
    fc.assert(
      fc.property(fc.stringMatching(/^[\w./~-]{1,12}$/), (path) => {
        expect(pathRule(path).length === 0).toBe(pathRule(`${path}/é`).length === 0);
      }),
      { numRuns: 2_000 },
    );
  });

  it('a path that passes never leads out of the repository', () => {
    const path = fc.array(fc.constantFrom('.', '..', '/', 'a', '%2e', '\\', '~', ' '), { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(path, (written) => {
        if (mistakesOf(gitOpsApplication({ path: written })).length > 0) return;
        const folder = normalizePath(written);
        expect(new URL(`file:///repository/${folder}/x`).pathname).toMatch(/^\/repository\//);
        expect(normalizePath(folder)).toBe(folder);
      }),
    );
  });
});

describe('git.branch', () => {
  it.each(['main', 'feature/a-b', 'v1.2', 'a@b', 'release-1.x', 'ü', 'HEADS'])('%s is fine', (branch) => {
    expect(mistakesOf(gitOpsApplication({ git: { branch } }))).toEqual([]);
  });

  const odd = 'must not hold spaces, control characters or any of ~^:?*[\\';
  const dots = 'must not be or hold "..", "@{" or a lone "@"';
  const part = 'must not hold an empty part, one that starts with "." or one that ends in ".lock"';
  const alone = 'name the branch alone';
  const cases: [branch: string, says: string, remedy: string][] = [
    ['', 'must not be empty', 'name a branch, or remove it for the default branch of the remote'],
    ['--upload-pack=id', 'must not start with "-"', alone],
    ['refs/heads/main', 'must be the short name of a branch', 'write "main"'],
    ['+refs/*:refs/*', odd, alone],
    ['a b', odd, alone],
    ['a~1', odd, alone],
    ['a^', odd, alone],
    ['a:b', odd, alone],
    ['a?', odd, alone],
    ['a[b', odd, alone],
    ['a\\b', odd, alone],
    ['a..b', dots, alone],
    ['a@{1}', dots, alone],
    ['@', dots, alone],
    ['HEAD', 'must not be HEAD', 'remove it for the default branch of the remote'],
    ['/a', part, alone],
    ['a/', part, alone],
    ['a//b', part, alone],
    ['.a', part, alone],
    ['a/.b', part, alone],
    ['a.lock', part, alone],
    ['a.lock/b', part, alone],
    ['a.', 'must not end with "."', alone],
  ];
  it.each(cases)('%s', (branch, says, remedy) => {
    const given: Case = [branch, `${says}, received "${branch}"`, branch, remedy];
    expect(mistakesOf(gitOpsApplication({ git: { branch } }))).toEqual(expected('git.branch', 'InvalidRef', given));
  });

  it('that is right at first sight is right by the rules', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\w-]{1,12}$/), (branch) => {
        expect(branchRule(branch).length === 0).toBe(branchRule(`${branch}é`).length === 0);
      }),
      { numRuns: 2_000 },
    );
    expect(branchRule('HEAD')).toHaveLength(1);
  });

  it('a line feed is shown, not printed', () => {
    const given: Case = ['a\nb', `${odd}, received "a\\u000ab"`, 'a\\u000ab', alone];
    expect(mistakesOf(gitOpsApplication({ git: { branch: 'a\nb' } }))).toEqual(expected('git.branch', 'InvalidRef', given));
  });

  it('is not too long for a file name', () => {
    const shown = `${'a'.repeat(79)}…`;
    const given: Case = ['', `must have at most 244 characters, received "${shown}"`, shown, 'use a shorter name'];
    expect(mistakesOf(gitOpsApplication({ git: { branch: 'a'.repeat(245) } }))).toEqual(expected('git.branch', 'InvalidRef', given));
  });
});

describe('durations', () => {
  it.each(['10s', '1h30m', '1.5h', '10000ms', '24h', '10000000\u00b5s', '10000000\u03bcs'])('%s is fine', (pullInterval) => {
    expect(mistakesOf(gitOpsApplication({ pullInterval, timeout: pullInterval }))).toEqual([]);
  });

  const form = 'must be a duration such as 5m or 1h30m';
  const zero = ['must be longer than zero', 'write a duration such as 5m'] as const;
  const cases: [duration: string, says: string, remedy: string][] = [
    ['1d', form, 'write 24h'],
    ['2w', form, 'write 336h'],
    ['30', form, 'add a unit: 30s or 30m'],
    ['5 m', form, 'write 5m'],
    ['five', form, 'write a number and a unit: ms, s, m or h'],
    ['', form, 'write a number and a unit: ms, s, m or h'],
    ['0', zero[0], zero[1]],
    ['0s', zero[0], zero[1]],
    ['-5m', zero[0], zero[1]],
    ['600h', 'must be shorter than 25 days', 'write 24h or the like'],
  ];
  it.each(cases)('%s', (timeout, says, remedy) => {
    const given: Case = [timeout, `${says}, received "${timeout}"`, timeout, remedy];
    expect(mistakesOf(gitOpsApplication({ timeout }))).toEqual(expected('timeout', 'InvalidDuration', given));
    expect(mistakesOf(gitOpsApplication({ pullInterval: timeout }))).toEqual(expected('pullInterval', 'InvalidDuration', given));
  });

  it('a pullInterval under the minimum names the minimum and its setting; a timeout has none', () => {
    const given: Case = ['9s', 'must be at least 10s (the agent\'s setting min-interval), received "9s"', '9s', 'write 10s or more'];
    expect(mistakesOf(gitOpsApplication({ pullInterval: '9s' }))).toEqual(expected('pullInterval', 'IntervalTooShort', given));
    expect(mistakesOf(gitOpsApplication({ timeout: '9s' }))).toEqual([]);
  });
});
