// `make bench-image`: what image automation takes beside the physical limit; (a) and (b) need no cluster.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createGit } from '#agent/git/git.ts';
import { exclusionsFrom } from '#agent/image/exclusions.ts';
import { listTags } from '#agent/image/registry.ts';
import { selectorFrom } from '#agent/image/selection.ts';
import { MarkedFiles } from '#agent/sync/image-files.ts';
import { planImages } from '#agent/sync/image-plan.ts';
import { parseImage } from '#api/image/reference.ts';
import { systemClock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';
import { createRedactor } from '#core/redact.ts';
import { commitFiles, git } from '../git-repository.ts';
import { startGitServer } from '../git-server.ts';
import { endToEnd } from './images-end.ts';
import { machine } from './laboratory.ts';
import { median } from './report.ts';

const ROUNDS = 5;
/** Scans are short, and an agent makes thousands: what counts is one after its code has been compiled. */
const SCANS = 25;
const TAGS = 10_000;
const PAGE = 1_000;
const FILES = 5_000;
const MARKED = 500;
const FILTER = { pattern: '^master-[a-f0-9]+-(?P<ts>[0-9]+)', extract: '$ts' };

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** Both in turn, so that what the machine does meanwhile meets both. */
async function compare(
  ours: (round: number) => Promise<unknown>,
  bare: (round: number) => Promise<unknown>,
  rounds = ROUNDS,
): Promise<{ ours: number; bare: number }> {
  const [left, right]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    right.push(await timed(() => bare(round)));
    left.push(await timed(() => ours(round)));
  }
  return { ours: median(left), bare: median(right) };
}

/** (a) Listing, filter and policy over 10,000 tags, beside the mere download of the same pages. */
async function tags(): Promise<{ ours: number; bare: number }> {
  const all = Array.from(
    { length: TAGS },
    (_, index) => `master-${(index * 2_654_435_761).toString(16).slice(-8).padStart(8, '0')}-${1_600_000_000 + index}`,
  );
  const server = createServer((request, response) => {
    const last = Number(/last=(\d+)/.exec(request.url ?? '')?.[1] ?? '0');
    const link = last + PAGE < TAGS ? { link: `</v2/org/app/tags/list?n=${PAGE}&last=${last + PAGE}>; rel="next"` } : {};
    response.writeHead(200, { 'content-type': 'application/json', ...link });
    response.end(JSON.stringify({ name: 'org/app', tags: all.slice(last, last + PAGE) }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const image = parseImage(`${host}/org/app`);
  const made = selectorFrom({ policy: { numerical: { order: 'asc' } }, filterTags: FILTER });
  const exclusions = exclusionsFrom();
  if ('problem' in image || 'problem' in made || 'problem' in exclusions) throw new Error('the benchmark is wrong');
  const options = { userAgent: 'bench', insecureRegistries: [], clock: systemClock };
  const ours = async (): Promise<void> => {
    const listed = await listTags({ image: image.image, signal: AbortSignal.timeout(60_000) }, options);
    const { kept } = made.selector.select(listed.filter((tag) => !exclusions.excludes(tag)));
    if (kept[0]?.tag !== all.at(-1)) throw new Error('the wrong tag was chosen');
  };
  const bare = async (): Promise<void> => {
    for (let last = 0; last < TAGS; last += PAGE) await (await fetch(`http://${host}/v2/org/app/tags/list?n=${PAGE}&last=${last}`)).json();
  };
  try {
    return await compare(ours, bare, SCANS);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** (b) From candidate to pushed commit in 5,000 files with 500 markers, beside a bare clone, sed, commit and push. */
async function commit(folder: string): Promise<{ ours: number; bare: number }> {
  const server = await startGitServer({ root: join(folder, 'served') });
  const directory = await server.createRepository('config');
  const file = (index: number): string => {
    const marker = index < MARKED ? ' # {"$imagepolicy": "default:app"}' : '';
    const rest = Array.from({ length: 20 }, (_, line) => `  key-${line}: value-${index}-${line}\n`).join('');
    return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config-${index}\ndata:\n  image: ghcr.io/org/app:0${marker}\n${rest}`;
  };
  const files = Object.fromEntries(Array.from({ length: FILES }, (_, index) => [`apps/${index % 50}/config-${index}.yaml`, file(index)]));
  await commitFiles(directory, 'main', files, { message: 'Begin' });
  const url = server.cloneUrl('config');
  const begin = await git(directory, ['rev-parse', 'main']);
  const reset = () => git(directory, ['update-ref', 'refs/heads/main', begin]);
  try {
    return await compare(
      async (round) => {
        await writeImages(url, join(folder, `cache-${round}`), String(round + 1));
        await reset();
      },
      async (round) => {
        await bareCommit(url, join(folder, `clone-${round}`), String(round + 1));
        await reset();
      },
    );
  } finally {
    await server.close();
  }
}

async function writeImages(url: string, cacheDir: string, tag: string): Promise<void> {
  const client = createGit({ cacheDir, userAgent: 'lateen-bench', redactor: createRedactor(), log: silentLog });
  const image = parseImage('ghcr.io/org/app');
  const made = selectorFrom({ policy: { numerical: { order: 'asc' } } });
  if ('problem' in image || 'problem' in made) throw new Error('the benchmark is wrong');
  const options = { timeoutMs: 60_000 };
  const tip = await client.resolve({ url }, 'main', options);
  const fetched = await client.fetch({ url }, tip, options);
  const tree = await client.tree({ url }, fetched.id, options);
  const marked = await new MarkedFiles().read({ tip, commit: fetched, tree }, [''], () => undefined);
  const policy = {
    application: 'app',
    component: 'app',
    image: image.image,
    tag,
    selector: made.selector,
    allowDowngrade: false,
    onHold: false,
    memory: {},
  };
  const plan = planImages(marked, { namespace: 'default', policies: [policy], source: 'bench', relative: (path) => path });
  if (plan.files.length !== MARKED) throw new Error(`${plan.files.length} files would change`);
  const author = { name: 'kubevelabot', email: 'kubevelabot@users.noreply.github.com' };
  const pushed = await client.publish(
    { url },
    tip,
    { author, timeMs: Date.now(), message: 'Update image automatically.', files: plan.files },
    options,
  );
  if (pushed.outcome !== 'pushed') throw new Error(`the push: ${pushed.outcome}`);
  await client.close();
}

async function bareCommit(url: string, clone: string, tag: string): Promise<void> {
  const script = `git clone --quiet --depth 1 ${url} ${clone} && cd ${clone} && \
    grep -rl 'imagepolicy' . --include='*.yaml' | xargs sed -i 's|ghcr.io/org/app:0|ghcr.io/org/app:${tag}|' && \
    git -c user.name=a -c user.email=a@example.com commit --quiet -am 'Update image automatically.' && git push --quiet`;
  // The server runs in this process: nothing here may block it.
  await promisify(execFile)('sh', ['-e', '-c', script], { timeout: 120_000 });
}

const parts = new Set((process.env['PART'] || 'a,b,c').split(','));
const folder = await mkdtemp(join(tmpdir(), 'lateen-bench-'));
try {
  console.log(`${await machine()}\n`);
  const rows = {
    a: ['(a) 10,000 tags: list, filter, policy / bare download', tags, 1.2],
    b: ['(b) 5,000 files, 500 markers: candidate to pushed commit / clone, sed, commit, push', () => commit(folder), 1.5],
  } as const;
  for (const part of ['a', 'b'] as const) {
    if (!parts.has(part)) continue;
    const [title, measure, aim] = rows[part];
    const { ours, bare } = await measure();
    console.log(`${title}: ${ours.toFixed(0)} ms / ${bare.toFixed(0)} ms = ${(ours / bare).toFixed(2)} (aim: ${aim})`);
  }
  if (parts.has('c')) {
    const took = (await endToEnd(Number(process.env['PUSHES'] || 20))).toSorted((a, b) => a - b);
    const [p50, p95] = [took[Math.ceil(took.length * 0.5) - 1]!, took[Math.ceil(took.length * 0.95) - 1]!];
    const figures = `p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms`;
    console.log(`(c) tag pushed to Deployment in the cluster, interval 1 s, ${took.length} pushes: ${figures} (aim: 3000)`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
