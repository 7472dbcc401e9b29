import { expect, it } from 'vitest';
import { gitEnvironment, gitVariables } from '#agent/git/environment.ts';

function configuration(environment: Record<string, string>): Record<string, string> {
  const count = Number(environment['GIT_CONFIG_COUNT']);
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [environment[`GIT_CONFIG_KEY_${index}`]!, environment[`GIT_CONFIG_VALUE_${index}`]!]),
  );
}

it('is built from nothing', () => {
  process.env['GIT_SSH_COMMAND'] = 'id';
  try {
    const names = Object.keys(gitEnvironment({ home: '/cache/home' })).filter((name) => !/^GIT_CONFIG_(KEY|VALUE)_/.test(name));
    expect(names.sort()).toEqual([
      'GIT_ALLOW_PROTOCOL',
      'GIT_CEILING_DIRECTORIES',
      'GIT_CONFIG_COUNT',
      'GIT_CONFIG_GLOBAL',
      'GIT_CONFIG_NOSYSTEM',
      'GIT_DEFAULT_REF_FORMAT',
      'GIT_LFS_SKIP_SMUDGE',
      'GIT_OPTIONAL_LOCKS',
      'GIT_TERMINAL_PROMPT',
      'HOME',
      'LC_ALL',
      'PATH',
    ]);
  } finally {
    delete process.env['GIT_SSH_COMMAND'];
  }
});

it('sets every wall of spec/sync.md §7.4', () => {
  const environment = gitEnvironment({ home: '/cache/home', directory: '/cache/r' });
  expect(environment).toMatchObject({
    GIT_ALLOW_PROTOCOL: 'http:https',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_DIR: '/cache/r',
    HOME: '/cache/home',
  });
  expect(configuration(environment)).toMatchObject({
    'core.hooksPath': '/dev/null',
    'core.symlinks': 'false',
    'core.fsmonitor': 'false',
    'protocol.allow': 'never',
    'transfer.fsckObjects': 'true',
    'transfer.bundleURI': 'false',
    'http.followRedirects': 'false',
    'http.sslVerify': 'true',
    'http.lowSpeedLimit': '1000',
    'http.lowSpeedTime': '20',
    'submodule.recurse': 'false',
    'gc.auto': '0',
  });
});

it('carries credentials and authorities in the configuration, and the cap in blocks', () => {
  const environment = gitEnvironment({ home: '/h', credentials: { username: 'u', password: 'p' }, caFile: '/ca.pem', maxFileBytes: 1025 });
  expect(configuration(environment)).toMatchObject({ 'http.extraHeader': 'Authorization: Basic dTpw', 'http.sslCAInfo': '/ca.pem' });
  expect(environment['LATEEN_FILE_BLOCKS']).toBe('3');
});

it('names every GIT_ variable for simple-git', () => {
  const environment = gitEnvironment({ home: '/h', directory: '/r' });
  const allowed = new Set(gitVariables(environment));
  expect(Object.keys(environment).filter((name) => name.startsWith('GIT_') && !allowed.has(name))).toEqual([]);
});
