import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { fits, PROGRAMS, type ProgramName, readVersion } from '#dev/versions.ts';

it.each<[ProgramName, string, boolean]>([
  ['kubectl', 'v1.34.0', true],
  ['kubectl', 'v1.35.4', true],
  ['kubectl', 'v1.36.1', true],
  ['kubectl', 'v1.33.9', false],
  ['kubectl', 'v1.37.0', false],
  ['kubectl', 'v2.35.0', false],
  ['kubectl', 'v1.35.4-dispatcher', false],
  ['kubectl', 'v1.36.0-rc.1', false],
  ['kube-apiserver', 'v1.35.0', true],
  ['kube-apiserver', 'v1.34.9', false],
  ['kube-controller-manager', 'v1.36.0', false],
  ['kube-scheduler', 'v1.35.4', true],
  ['etcd', 'v3.5.21', true],
  ['etcd', 'v3.6.8', true],
  ['etcd', 'v3.4.30', false],
  ['kustomize', 'v5.0.0', true],
  ['kustomize', 'v4.5.7', false],
  ['helm', 'v3.20.0+gb2e4314', true],
  ['helm', 'v3.20', true],
  ['helm', 'v4.0.1', true],
  ['helm', 'v2.17.0', false],
  ['kwok', 'v0.7.0', true],
  ['kwok', 'v0.6.1', false],
  ['crane', '(devel)', false],
])('%s %s fits: %s', (name, version, expected) => {
  expect(fits(name, version)).toBe(expected);
});

it.each([
  ['Client Version: v1.35.4\nKustomize Version: v5.7.1\n', 'v1.35.4'],
  ['Kubernetes v1.35.4\n', 'v1.35.4'],
  ['etcd Version: 3.6.8\nGit SHA: Not provided\n', 'v3.6.8'],
  ['kwok version v0.7.0 go1.26.8 (linux/amd64)', 'v0.7.0'],
  ['Client Version: v1.32.4-dispatcher\n', 'v1.32.4-dispatcher'],
  ['{Version:kustomize/v5.8.1 GitCommit:unknown}', 'v5.8.1'],
  ['(devel)\n', undefined],
])('reads the version from %j', (printed, version) => {
  expect(readVersion(printed)).toBe(version);
});

it.each(['kubernetes', 'etcd'])('pins in dev/tools/%s/go.mod what it downloads', async (module) => {
  const text = await readFile(new URL(`../../../dev/tools/${module}/go.mod`, import.meta.url), 'utf8');
  const pinned = /^require (?:k8s\.io\/kubernetes|go\.etcd\.io\/etcd\/server\/v3) (\S+)$/m.exec(text)?.[1];
  expect(pinned).toBe(PROGRAMS[module === 'etcd' ? 'etcd' : 'kube-apiserver'].version);
});
