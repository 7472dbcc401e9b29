import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Application, Component, ServiceStatus } from '#api/application.ts';
import { applicationsTable } from '#cli/ls-table.ts';
import { statusText } from '#cli/status-text.ts';

const recorded = (name: string): string => readFileSync(new URL(`../../fixtures/oracle-cli/${name}`, import.meta.url), 'utf8');
const podinfo = JSON.parse(recorded('application.json')) as Application;
const NOW = Date.parse('2026-11-24T12:00:00Z');
const options = { timeZone: 'UTC', nowMs: NOW, heading: (text: string) => text };

const infra: Component = {
  name: 'database-config',
  type: 'kustomize',
  properties: { url: 'https://git.example/infra', pullInterval: '10m', git: { branch: 'infra' }, path: './infrastructure' },
};

const pulled: ServiceStatus = {
  name: 'database-config',
  namespace: 'default',
  healthy: true,
  details: {
    branch: 'infra',
    commit: '3f0c9a1d2e4b5f60718293a4b5c6d7e8f9012345',
    author: 'Alice',
    subject: 'Add config',
    committed: '2026-11-24T11:57:00Z',
    objects: '2',
    reconciledAt: 'x',
  },
};

function gitops(components: Component[], services: ServiceStatus[]): Application {
  return {
    apiVersion: 'core.oam.dev/v1beta1',
    kind: 'Application',
    metadata: { name: 'infra-gitops', namespace: 'default', creationTimestamp: '2022-06-30T06:52:33Z' },
    spec: { components },
    status: { status: 'running', services },
  };
}

/** The lines of the block Git. */
function gitBlock(application: Application, nowMs = NOW): string[] {
  const lines = statusText(application, { ...options, nowMs }).split('\n');
  const from = lines.indexOf('    Git:');
  const block = lines.slice(from + 1);
  return block
    .slice(
      0,
      block.findIndex((line) => !line.startsWith('      ')),
    )
    .map((line) => line.trim());
}

describe('vela ls', () => {
  it('is printed byte by byte', () => {
    expect(applicationsTable([podinfo], { timeZone: 'UTC', namespaces: false })).toBe(recorded('ls.txt'));
  });

  it('shows the Application of the seed as the seed does', () => {
    const table = applicationsTable([gitops([infra], [pulled])], { timeZone: 'Asia/Shanghai', namespaces: false });
    expect(table).toBe(
      'APP         \tCOMPONENT      \tTYPE     \tTRAITS\tPHASE  \tHEALTHY\tSTATUS\tCREATED-TIME                 \n' +
        'infra-gitops\tdatabase-config\tkustomize\t      \trunning\thealthy\t      \t2022-06-30 14:52:33 +0800 CST\n',
    );
  });

  it('marks further components, joins traits, and leaves blank what is not known', () => {
    const traits = [{ type: 'scaler' }, { type: 'gateway' }];
    const application = gitops(
      [
        { ...infra, traits },
        { name: 'b', type: 'worker' },
        { name: 'c', type: 'worker' },
      ],
      [{ ...pulled, healthy: false, message: 'no' }],
    );
    const table = applicationsTable([application], { timeZone: 'UTC', namespaces: true });
    expect(
      table.split('\n').map((line) =>
        line
          .split('\t')
          .map((cell) => cell.trim())
          .slice(0, -1),
      ),
    ).toEqual([
      ['NAMESPACE', 'APP', 'COMPONENT', 'TYPE', 'TRAITS', 'PHASE', 'HEALTHY', 'STATUS'],
      ['default', 'infra-gitops', 'database-config', 'kustomize', 'scaler,gateway', 'running', 'unhealthy', 'no'],
      ['default', '├─', 'b', 'worker', '', 'running', '', ''],
      ['default', '└─', 'c', 'worker', '', 'running', '', ''],
      [],
    ]);
  });
});

describe('vela status', () => {
  it('is printed byte by byte', () => {
    expect(statusText(podinfo, options)).toBe(recorded('status.txt'));
  });

  it('shows the details of other components under Status Details, sorted', () => {
    const service = { ...podinfo.status!.services![0]!, details: { replicas: '1', image: 'nginx' } };
    const text = statusText({ ...podinfo, status: { ...podinfo.status, services: [service] } }, options);
    const block = '      Message: Ready:1/1\n      Status Details:\n        image: nginx\n        replicas: 1\n    No trait applied\n';
    expect(text).toBe(recorded('status.txt').replace('      Message: Ready:1/1\n    No trait applied\n', block));
  });

  it('shows traits', () => {
    const service = { ...podinfo.status!.services![0]!, traits: [{ type: 'scaler', healthy: false, message: 'waits' }] };
    const text = statusText({ ...podinfo, status: { ...podinfo.status, services: [service] } }, options);
    expect(text).toContain('    Traits:\n      Type: scaler\n      Health: ❌ \n        Message: waits\n');
    expect(text).toContain('  Healthy:   \t❌ ');
  });

  it('says what Git says of a kustomize component', () => {
    expect(gitBlock(gitops([infra], [pulled]))).toEqual([
      'Branch:    infra',
      'Commit:    3f0c9a1 (3f0c9a1d2e4b5f60718293a4b5c6d7e8f9012345)',
      'Author:    Alice',
      'Subject:   Add config',
      'Age:       3m ago',
      'Objects:   2',
      expect.stringMatching(/^Next pull: in (\d+m)?(\d+s)? \(every 10m\)$/),
    ]);
  });

  it('says how images stand where there is an imageRepository', () => {
    const image = {
      image: 'ghcr.io/o/app:v2',
      imageTags: '3 seen, 2 kept',
      imageMarkers: 'app.yaml:8 IMAGE_HELD',
      imageCommit: 'a'.repeat(40),
    };
    const held = { imageReason: 'IMAGE_HELD', imageMessage: 'app.yaml:8: somebody changed it away from v2' };
    const block = gitBlock(gitops([infra], [{ ...pulled, details: { ...pulled.details, ...image, ...held } }]));
    expect(block.slice(7)).toEqual([
      'Image:     ghcr.io/o/app:v2 (tags: 3 seen, 2 kept)',
      'Markers:   app.yaml:8 IMAGE_HELD',
      'Set by:    aaaaaaa',
      'Image waits: IMAGE_HELD: app.yaml:8: somebody changed it away from v2',
    ]);
  });

  it('counts the next pull down with the clock', () => {
    const line = (nowMs: number): string => gitBlock(gitops([infra], [pulled]), nowMs).at(-1) ?? '';
    const seconds = (text: string): number => {
      const [, minutes = '0', rest = '0'] = /in (?:(\d+)m)?(?:(\d+)s)? /.exec(text) ?? [];
      return Number(minutes) * 60 + Number(rest);
    };
    const first = seconds(line(NOW));
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThanOrEqual(600);
    expect((seconds(line(NOW + 60_000)) - first + 1_200) % 600).toBe(540);
  });

  it('says that a suspended component is never pulled', () => {
    const suspended = { ...infra, properties: { ...infra.properties, suspend: true } };
    expect(gitBlock(gitops([suspended], [pulled])).at(-1)).toBe('Next pull: never: suspended');
  });

  it('shows the last error with its reason and the next try', () => {
    const details = { ...pulled.details, reason: 'AUTH_FAILED', nextTry: '2026-11-24T12:01:12Z' };
    const text = statusText(
      gitops([infra], [{ ...pulled, healthy: false, message: 'the Git server refused the credentials', details }]),
      options,
    );
    expect(text).toContain('      Error:     AUTH_FAILED: the Git server refused the credentials\n      Next try:  in 1m12s\n');
    expect(text).not.toContain('Message:');
  });

  it('shows a kustomize component that has no status yet', () => {
    expect(gitBlock(gitops([{ ...infra, properties: { ...infra.properties, git: {} } }], [])).slice(0, 2)).toEqual([
      'Branch:    (the default branch of the remote)',
      'Commit:    none yet',
    ]);
  });

  it('shows each message of a False condition once, with all its types', () => {
    const message = 'spec.components[0].properties.urll is not a property of kustomize; did you mean "url"?';
    const at = { lastTransitionTime: '2026-11-24T12:00:00Z', message };
    const conditions = [
      { ...at, type: 'Admitted', status: 'False' as const, reason: 'UnknownField' },
      { ...at, type: 'Ready', status: 'False' as const, reason: 'UnknownField' },
      { ...at, type: 'Stalled', status: 'True' as const, reason: 'UnknownField' },
    ];
    const text = statusText({ ...gitops([infra], []), status: { status: 'rendering', conditions } }, options);
    expect(text).toContain(`\n\nConditions:\n\n  Admitted, Ready: False (UNKNOWN_FIELD)\n    ${message}\n\n`);
  });

  it('says why something else runs than the spec, though nothing is wrong', () => {
    const at = { lastTransitionTime: '2026-11-24T12:00:00Z', status: 'True' as const };
    const held = { ...at, message: 'Held at v3 (main has moved on)', reason: 'Held' };
    const conditions = [
      { ...at, type: 'Parsed', reason: 'Available' },
      { ...held, type: 'Revision' },
      { ...held, type: 'Ready' },
    ];
    const text = statusText({ ...gitops([infra], []), status: { status: 'running', conditions } }, options);
    expect(text).toContain('\n\nConditions:\n\n  Revision: True (HELD)\n    Held at v3 (main has moved on)\n\n');
  });

  it('takes control characters out of what a commit says', () => {
    const details = { ...pulled.details, subject: 'a\u001b[31mb\nc' };
    expect(gitBlock(gitops([infra], [{ ...pulled, details }]))[3]).toBe('Subject:   a[31mb c');
  });
});
