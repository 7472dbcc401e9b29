import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isExecutable } from './program-cache.ts';
import { type FoundProgram, fits, PROGRAMS, type ProgramName, readVersion } from './versions.ts';

const run = promisify(execFile);

const VERSION_DEADLINE_MS = 5_000;

/** What the program says when asked for its version; undefined where it says nothing within 5 s. */
export async function reportedVersion(path: string, name: ProgramName): Promise<string | undefined> {
  const asked = run(path, PROGRAMS[name].versionArgs, { timeout: VERSION_DEADLINE_MS, killSignal: 'SIGKILL', maxBuffer: 65_536 });
  return asked.then(
    ({ stdout, stderr }) => readVersion(stdout) ?? readVersion(stderr),
    () => undefined,
  );
}

export interface Found {
  found?: FoundProgram;
  /** Why each candidate was not taken. */
  refused: string[];
}

/** The first program of that name in the folders whose version fits. */
export async function findInstalled(
  name: ProgramName,
  folders: { folder: string; source: 'KUBEBUILDER_ASSETS' | 'PATH' }[],
): Promise<Found> {
  const refused: string[] = [];
  for (const { folder, source } of folders) {
    const path = join(folder, name);
    if (!(await isExecutable(path))) continue;
    const version = await reportedVersion(path, name);
    if (version !== undefined && fits(name, version)) return { found: { name, path, version, source }, refused };
    const said = version === undefined ? 'does not say its version' : `is ${version}`;
    refused.push(`${path} ${said} (wanted: ${PROGRAMS[name].accepted})`);
  }
  return { refused };
}
