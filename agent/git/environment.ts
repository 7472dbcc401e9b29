import { dirname } from 'node:path';
import type { GitCredentials } from './types.ts';

/** Below 1000 bytes a second for 20 s a server counts as hanging (spec/sync.md §7.4). The deadline may be sooner. */
const LOW_SPEED_BYTES = '1000';
const LOW_SPEED_SECONDS = '20';

/**
 * What fsck says about old but harmless objects: early Git and hosting tools wrote such commits and trees, and nothing of
 * them reaches the cluster. What protects (tree names, .gitmodules, .gitattributes) stays an error.
 */
export const HARMLESS_FSCK = [
  'badDate',
  'badDateOverflow',
  'badEmail',
  'badName',
  'badTimezone',
  'missingEmail',
  'missingNameBeforeEmail',
  'missingSpaceBeforeDate',
  'missingSpaceBeforeEmail',
  'multipleAuthors',
  'nulInCommit',
  'zeroPaddedDate',
  'zeroPaddedFilemode',
];

/** The whole configuration of git (spec/sync.md §7.4); no file of the machine is read. */
const CONFIGURATION: readonly (readonly [key: string, value: string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.symlinks', 'false'],
  // Larger files go through in pieces: a pack of some hundred KB may unfold to as many MB.
  ['core.bigFileThreshold', '1m'],
  ['core.fsmonitor', 'false'],
  // The cache is that of one process: what a crash of the machine would spoil is gone with it.
  ['core.fsync', 'none'],
  ['core.askPass', ''],
  ['credential.helper', ''],
  ['protocol.allow', 'never'],
  ['protocol.http.allow', 'always'],
  ['protocol.https.allow', 'always'],
  ['protocol.version', '2'],
  ['transfer.fsckObjects', 'true'],
  ['transfer.bundleURI', 'false'],
  ['transfer.unpackLimit', '1'],
  ['fetch.writeCommitGraph', 'false'],
  ['submodule.recurse', 'false'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['http.followRedirects', 'false'],
  ['http.sslVerify', 'true'],
  ['http.lowSpeedLimit', LOW_SPEED_BYTES],
  ['http.lowSpeedTime', LOW_SPEED_SECONDS],
  ...HARMLESS_FSCK.map((id) => [`fetch.fsck.${id}`, 'ignore'] as const),
];

const VARIABLES = [
  'GIT_ALLOW_PROTOCOL',
  'GIT_CEILING_DIRECTORIES',
  'GIT_CONFIG_COUNT',
  'GIT_CONFIG_GLOBAL',
  'GIT_CONFIG_NOSYSTEM',
  'GIT_DEFAULT_REF_FORMAT',
  'GIT_DIR',
  'GIT_LFS_SKIP_SMUDGE',
  'GIT_OPTIONAL_LOCKS',
  'GIT_TERMINAL_PROMPT',
];

export interface EnvironmentOptions {
  /** An empty folder: there is nothing to be read in it. */
  home: string;
  /** Repository; absent: none. */
  directory?: string;
  credentials?: GitCredentials;
  /** File with the authorities that are trusted. */
  caFile?: string;
  /** Largest file that git may write, in bytes. */
  maxFileBytes?: number;
}

/**
 * Environment of one git, built from nothing. The credentials stand here, never in arguments or URL. The header is not
 * bound to the URL: redirects are off, so one git talks to one URL, and simple-git judges keys by the words in them.
 */
export function gitEnvironment(options: EnvironmentOptions): Record<string, string> {
  const { home, directory, credentials, caFile, maxFileBytes } = options;
  const header = authorization(credentials);
  const configuration = [
    ...CONFIGURATION,
    ...(header ? [['http.extraHeader', `Authorization: ${header}`] as const] : []),
    ...(caFile ? [['http.sslCAInfo', caFile] as const] : []),
  ];
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    LC_ALL: 'C',
    GIT_ALLOW_PROTOCOL: 'http:https',
    GIT_CEILING_DIRECTORIES: dirname(home),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    // quick-fetch.ts writes refs as files.
    GIT_DEFAULT_REF_FORMAT: 'files',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    ...(directory ? { GIT_DIR: directory } : {}),
    ...(maxFileBytes ? { LATEEN_FILE_BLOCKS: String(Math.ceil(maxFileBytes / 512)) } : {}),
    ...configurationVariables(configuration),
  };
}

/** Names of the GIT_ variables that stand in an environment of gitEnvironment. */
export function gitVariables(environment: Record<string, string>): string[] {
  return [...VARIABLES, ...Object.keys(environment).filter((name) => /^GIT_CONFIG_(KEY|VALUE)_\d+$/.test(name))];
}

/** Value of the Authorization header (RFC 7617, RFC 6750), or undefined where nothing is to be sent. */
export function authorization(credentials: GitCredentials | undefined): string | undefined {
  if (credentials?.bearerToken) return `Bearer ${credentials.bearerToken}`;
  if (!credentials?.username) return undefined;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password ?? ''}`).toString('base64')}`;
}

function configurationVariables(configuration: readonly (readonly [string, string])[]): Record<string, string> {
  const pairs = configuration.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(configuration.length), ...Object.fromEntries(pairs) };
}
