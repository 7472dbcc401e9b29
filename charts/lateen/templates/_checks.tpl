{{- /* Renders to nothing, or fails with what to do. */ -}}
{{- define "lateen.checks" -}}
{{- $problems := list }}
{{- if and .Values.webhook.enabled .Values.webhook.replicas (not .Values.image.repository) }}
{{- $problems = append $problems "image.repository is not set, and no image of Lateen is published yet. Build one with `docker build -t IMAGE .` in the checkout of Lateen, push it, and pass --set image.repository=IMAGE without the tag (docs/install.md). Or pass --set webhook.enabled=false: CRDs and ClusterRoles need no image." }}
{{- end }}
{{- if and .Values.webhook.enabled (not .Values.webhook.replicas) (not .Values.webhook.url) }}
{{- $problems = append $problems "webhook.replicas is 0 and webhook.url is not set: nothing would answer the API server. Set webhook.url to where the webhook runs, or webhook.enabled=false for none." }}
{{- end }}
{{- if and .Values.certificates.issuerRef (ne .Values.certificates.mode "cert-manager") }}
{{- $problems = append $problems (printf "certificates.issuerRef is set and certificates.mode is %q: an issuer counts in the mode cert-manager alone. Set certificates.mode=cert-manager, or leave issuerRef out." .Values.certificates.mode) }}
{{- end }}
{{- if and .Values.certificates.issuerRef (not .Values.certificates.issuerRef.name) }}
{{- $problems = append $problems "certificates.issuerRef has no name. Set certificates.issuerRef.name to that of your issuer, or leave issuerRef out." }}
{{- end }}
{{- if $problems }}
{{- fail (printf "\n\n  %s\n" (join "\n  " $problems)) }}
{{- end }}
{{- end }}

{{- /* Whether the webhook runs in this cluster. */ -}}
{{- define "lateen.runs" -}}
{{- include "lateen.checks" . -}}
{{- if and .Values.webhook.enabled .Values.webhook.replicas }}yes{{ end }}
{{- end }}
