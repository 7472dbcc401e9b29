{{- define "lateen-agent.container" -}}
name: lateen-agent
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
command: [lateen-agent]
args:
  - --namespace={{ .Release.Namespace }}
  - --applications={{ .Values.applications }}
  - --min-interval={{ .Values.minInterval }}
  - --quiet-window={{ .Values.quietWindow }}
  - --insecure-registries={{ join "," .Values.insecureRegistries }}
  - --git-timeout={{ .Values.gitTimeout }}
  - --lease-duration={{ .Values.leaseDuration }}
  - --max-requests={{ .Values.maxRequests | int }}
  - --shared-inventories={{ .Values.sharedInventories }}
  - --log-level={{ .Values.logLevel }}
  - --cache-dir=/var/cache/lateen
  - --health-address=:8080
env:
  # A container that is started again in its Pod takes its own Lease up at once.
  - name: IDENTITY
    valueFrom:
      fieldRef: {fieldPath: metadata.name}
ports:
  - name: health
    containerPort: 8080
livenessProbe:
  httpGet: {path: /healthz, port: health}
readinessProbe:
  httpGet: {path: /readyz, port: health}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
  readOnlyRootFilesystem: true
volumeMounts:
  - {name: cache, mountPath: /var/cache/lateen}
  - {name: tmp, mountPath: /tmp}
{{- end }}
