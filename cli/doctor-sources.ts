import { allowListsOf } from '#api/allow-lists.ts';
import type { Application } from '#api/application.ts';
import { checkApplication } from '#api/check.ts';
import { isReleased } from '#api/handback.ts';
import type { KustomizeProperties } from '#api/kustomize.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import { API_VERSION } from '#api/names.ts';
import { displayUrl } from '#api/source-url.ts';
import { oneLine } from '#core/errors.ts';
import { type Check, type Checked, DEADLINE_MS, failed, guarded, ok, refusalOf, type Seat, skipped } from './doctor-check.ts';
import { propertiesOf } from './git-block.ts';
import { type Advertised, advertisement, commitOf, type GitLogin, loginOf, type Service } from './git-probe.ts';
import { liveTags } from './image-chain.ts';

/** The Applications of the namespace, and the Git servers and registries that they name, asked from where this runs. */

/** More than that are not asked: a doctor is no load test. */
const MOST = 20;

export const applications: Check = (seat) =>
  guarded('Applications', async () => {
    const all = await applicationsOf(seat);
    if (all.length === 0) return [ok('Applications', `there is none in ${seat.cluster.namespace}`)];
    const sick = all.flatMap((one) => complaint(one) ?? []);
    const well = all.length - sick.length;
    return [
      ...(well > 0 ? [ok('Applications', `${well} of ${all.length} are as they should be, or on their way`)] : []),
      ...sick.slice(0, MOST),
    ];
  });

/** What an Application says itself of what is wrong with it. That it was handed back is what somebody wanted. */
function complaint(application: Application): Checked | undefined {
  if (isReleased(application)) return undefined;
  const {
    metadata: { name },
    status,
  } = application;
  const is = (wanted: string, state: string) => status?.conditions?.find((one) => one.type === wanted && one.status === state);
  const ready = is('Ready', 'False');
  const worst = is('Admitted', 'False') ?? is('Stalled', 'True') ?? (ready?.reason === 'Progressing' ? undefined : ready);
  if (!worst) return undefined;
  return failed(
    'Applications',
    `${name}: ${worst.reason}: ${oneLine(worst.message ?? '', 600)}`,
    `lateen status ${name} shows more, docs/errors.md explains ${worst.reason}`,
  );
}

interface Source {
  url: string;
  branch: string | undefined;
  secretRef: string | undefined;
  /** New images are pushed to it. */
  pushes: boolean;
}

/** Only of Applications that the rules let pass: credentials go nowhere where the agent would not send them. */
export const sources: Check = (seat) =>
  guarded('git', async () => {
    const components = await admitted(seat);
    const bySource = new Map<string, Source>();
    for (const { url, git, secretRef, imageRepository } of components) {
      const key = JSON.stringify([url, git?.branch, secretRef]);
      const pushes = imageRepository !== undefined || bySource.get(key)?.pushes === true;
      bySource.set(key, { url, branch: git?.branch, secretRef, pushes });
    }
    const asked = await Promise.all([...bySource.values()].slice(0, MOST).map((source) => ofSource(seat, source)));
    return [...asked.flat(), ...(bySource.size > MOST ? [skipped('git', `${bySource.size - MOST} more repositories were not asked`)] : [])];
  });

async function ofSource(seat: Seat, { url, branch, secretRef, pushes }: Source): Promise<Checked[]> {
  const login = secretRef === undefined ? {} : await loginFor(seat, secretRef);
  if ('check' in login) return [login];
  if (login.authorization !== undefined && /^http:/i.test(url) && !/^http:\/\/(localhost|127\.|\[::1\])/i.test(url))
    return [failed('git read', `${displayUrl(url)} would get the credentials of ${secretRef} without TLS`, 'use https://')];
  const read = await asked('git read', { url, branch, login, service: 'git-upload-pack' });
  if (!pushes || read.state !== 'ok') return [read];
  return [read, await asked('git push', { url, branch, login, service: 'git-receive-pack' })];
}

async function loginFor({ cluster: { client, namespace } }: Seat, name: string): Promise<GitLogin | Checked> {
  let secret: KubeObject | undefined;
  try {
    secret = await client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name }, { timeoutMs: DEADLINE_MS });
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return skipped('git read', `${refusal}, so the Git server was not asked with ${name}`);
  }
  return secret
    ? loginOf(secret)
    : failed('git read', `there is no Secret ${name} in ${namespace}`, 'make it (docs/private-repository.md), or correct secretRef');
}

interface Question {
  url: string;
  branch: string | undefined;
  login: GitLogin;
  service: Service;
}

async function asked(check: string, { url, branch, login, service }: Question): Promise<Checked> {
  const shown = displayUrl(url);
  const answer = await advertisement(url, service, login);
  const [problem, remedy = ''] = refusedBy(answer, service) ?? [];
  if (problem !== undefined || 'problem' in answer) return failed(check, `${shown} ${problem}`, remedy);
  if (service === 'git-receive-pack') return ok(check, `${shown} may be pushed to`);
  const commit = commitOf(answer.text, branch);
  if (commit !== undefined) return ok(check, `${shown} may be read, ${branch ?? 'its default branch'} is at ${commit.slice(0, 7)}`);
  if (answer.whole) return failed(check, `${shown} has no branch ${branch ?? 'yet'}`, 'push it, or correct git.branch');
  return ok(check, `${shown} may be read`);
}

const ELSEWHERE = 'check the URL; from the cluster it may be reached all the same: lateen status tells what the agent sees';
const TOKEN: Record<Service, string> = {
  'git-upload-pack': 'check the Secret: the token may have expired, or may not read this repository',
  'git-receive-pack': 'give the token the right to push (docs/update-images.md)',
};

/** What is wrong with an answer and what to do; undefined where it is what Git expects. */
function refusedBy(answer: Advertised, service: Service): [problem: string, remedy: string] | undefined {
  if ('problem' in answer) return [`gives no answer from here (${oneLine(answer.problem, 200)})`, ELSEWHERE];
  const { status, text, location } = answer;
  if (status === 401 || status === 403) return [`answers ${status}`, TOKEN[service]];
  if (location !== undefined && status >= 300 && status < 400)
    return [`redirects to ${displayUrl(location)}, which the agent does not follow`, 'write that URL'];
  if (status === 200 && text.includes(`# service=${service}`)) return undefined;
  return [
    `answers ${status}: no Git repository is there for these credentials`,
    'check the URL, and that the token may see the repository',
  ];
}

export const registries: Check = (seat) =>
  guarded('registry', async () => {
    const byImage = new Map(
      (await admitted(seat)).flatMap(({ imageRepository }) =>
        imageRepository ? [[JSON.stringify([imageRepository.image, imageRepository.secretRef]), imageRepository] as const] : [],
      ),
    );
    return Promise.all(
      [...byImage.values()].slice(0, MOST).map(async (repository) => {
        const { seen, reason, message } = await liveTags(seat.cluster, repository, seat.clock);
        if (seen !== undefined) return ok('registry', `${repository.image} has ${seen} tags`);
        if (reason === 'FORBIDDEN') return skipped('registry', `${message}: the registry was not asked for ${repository.image}`);
        return failed(
          'registry',
          `${repository.image}: ${reason}: ${oneLine(message ?? '', 300)}`,
          'check imageRepository.image and its secretRef (docs/update-images.md)',
        );
      }),
    );
  });

async function applicationsOf({ cluster: { client, namespace } }: Seat): Promise<Application[]> {
  const kind = await client.kinds.find(API_VERSION, 'Application');
  return kind ? ((await client.list(kind, { namespace, timeoutMs: DEADLINE_MS })) as unknown as Application[]) : [];
}

/** The kustomize components of Applications that the rules let pass. */
async function admitted(seat: Seat): Promise<KustomizeProperties[]> {
  const { client, namespace } = seat.cluster;
  const own = await client.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace }, { timeoutMs: DEADLINE_MS });
  const allowed = allowListsOf(own?.metadata.annotations ?? {});
  const pass = (await applicationsOf(seat)).filter((one) => checkApplication(one, { namespace, allowed }).causes.length === 0);
  return pass.flatMap(({ spec }) => spec.components.filter(({ type }) => type === 'kustomize').flatMap((one) => propertiesOf(one) ?? []));
}
