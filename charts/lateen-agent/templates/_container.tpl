{{- /*
  The agent's container, and the volumes that it mounts. A chart of yours that depends on this one may put it into a pod of
  its own (docs/install.md): {{ include "lateen-agent.container" (index .Subcharts "lateen-agent") }}
*/ -}}
{{- define "lateen-agent.container" -}}
{{- include "lateen-agent.checks" . -}}
name: lateen-agent
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
command: [tini, --, lateen-agent]
args:
  - --namespace={{ .Release.Namespace }}
  - --applications={{ .Values.applications }}
  - --vela-core-identity={{ .Values.velaCore.identity }}
  - --min-interval={{ .Values.minInterval }}
  - --revision-limit={{ .Values.revisionLimit | int }}
  - --quiet-window={{ .Values.quietWindow }}
  - --insecure-registries={{ join "," .Values.insecureRegistries }}
  - --git-timeout={{ .Values.gitTimeout }}
  - --lease-duration={{ .Values.leaseDuration }}
  - --max-requests={{ .Values.maxRequests | int }}
  - --shared-inventories={{ .Values.sharedInventories }}
  - --log-level={{ .Values.logLevel }}
  - --cache-dir=/var/cache/lateen
  - --health-address=:{{ .Values.healthPort | int }}
env:
  # A container that is started again in its Pod takes its own Lease up at once.
  - name: IDENTITY
    valueFrom:
      fieldRef: {fieldPath: metadata.name}
ports:
  - name: health
    containerPort: {{ .Values.healthPort | int }}
# Reading its programs takes seconds on a busy node.
startupProbe:
  httpGet: {path: /healthz, port: health}
  periodSeconds: 1
  failureThreshold: 120
livenessProbe:
  httpGet: {path: /healthz, port: health}
readinessProbe:
  httpGet: {path: /readyz, port: health}
  periodSeconds: 2
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
volumeMounts:
  - {name: lateen-cache, mountPath: /var/cache/lateen}
  - {name: lateen-tmp, mountPath: /tmp}
{{- end }}

{{- define "lateen-agent.volumes" -}}
- name: lateen-cache
  {{- if eq .Values.cache.volume "persistentVolumeClaim" }}
  persistentVolumeClaim:
    claimName: lateen-agent
  {{- else }}
  emptyDir:
    sizeLimit: {{ .Values.cache.size }}
  {{- end }}
- name: lateen-tmp
  emptyDir: {}
{{- end }}
