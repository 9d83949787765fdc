{{- define "loans.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{/* What tells the pods of this release from others; never changes, a Deployment's selector cannot. */}}
{{- define "loans.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "loans.labels" -}}
{{ include "loans.selector" . }}
app.kubernetes.io/part-of: branch-loan-api
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "loans.graceSeconds" -}}
{{- add 10 (div (add .Values.shutdown.drainMilliseconds .Values.shutdown.timeoutMilliseconds 999) 1000) -}}
{{- end }}

{{/* Secrets are files; a setting that is a secret would be in the pod's description. */}}
{{- define "loans.env" -}}
{{- range $name := list "DATABASE_URL" "DATABASE_READ_URL" "PII_KEY" "PII_KEYS_OLD" "AUTH_DEV_SECRET" }}
{{- if hasKey $.Values.settings $name }}{{ fail (printf "settings.%s is a secret: put it into the Secret that secrets.name names" $name) }}{{ end }}
{{- end }}
{{- $own := list "APP_ENV" "API_HOST" "API_PORT" "DATABASE_URL_FILE" "DATABASE_READ_URL_FILE" "PII_KEY_FILE" "PII_KEYS_OLD_FILE" "AUTH_JWKS_CA_FILE" "ADMIN_HOST" "ADMIN_PORT" "SHUTDOWN_DRAIN_MS" "SHUTDOWN_TIMEOUT_MS" }}
{{- range $name := $own }}
{{- if hasKey $.Values.settings $name }}{{ fail (printf "settings.%s has a value of its own in values.yaml" $name) }}{{ end }}
{{- end }}
- name: APP_ENV
  value: {{ .Values.environment }}
- name: DATABASE_URL_FILE
  value: /run/secrets/branch-loan-api/{{ .Values.secrets.databaseUrl }}
{{- with .Values.secrets.databaseReadUrl }}
- name: DATABASE_READ_URL_FILE
  value: /run/secrets/branch-loan-api/{{ . }}
{{- end }}
- name: PII_KEY_FILE
  value: /run/secrets/branch-loan-api/{{ .Values.secrets.piiKey }}
{{- with .Values.secrets.piiKeysOld }}
- name: PII_KEYS_OLD_FILE
  value: /run/secrets/branch-loan-api/{{ . }}
{{- end }}
{{- if ne .Values.environment "development" }}
- name: AUTH_ISSUER
  value: {{ required "set auth.issuer to the iss of your identity provider" .Values.auth.issuer | quote }}
- name: AUTH_AUDIENCE
  value: {{ required "set auth.audience to the aud that tokens for this API carry" .Values.auth.audience | quote }}
- name: AUTH_JWKS_URL
  value: {{ required "set auth.jwksUrl to the address of the issuer's keys" .Values.auth.jwksUrl | quote }}
{{- if .Values.auth.jwksCa.configMap }}
- name: AUTH_JWKS_CA_FILE
  value: /run/jwks-ca/{{ .Values.auth.jwksCa.key }}
{{- end }}
- name: AUTH_ROLES_CLAIM
  value: {{ .Values.auth.rolesClaim | quote }}
- name: AUTH_BRANCHES_CLAIM
  value: {{ .Values.auth.branchesClaim | quote }}
{{- end }}
{{- if .Values.admin.enabled }}
# Jobs have the setting, too, and no such port: only the server opens it.
- name: ADMIN_HOST
  value: 0.0.0.0
- name: ADMIN_PORT
  value: {{ .Values.admin.port | int | quote }}
{{- end }}
- name: SHUTDOWN_DRAIN_MS
  value: {{ .Values.shutdown.drainMilliseconds | int | quote }}
- name: SHUTDOWN_TIMEOUT_MS
  value: {{ .Values.shutdown.timeoutMilliseconds | int | quote }}
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{/* A container of the image, confined; what follows is the command, if any. */}}
{{- define "loans.container" -}}
image: {{ .Values.image.repository }}@{{ required "set image.digest to the image to run, sha256:…" .Values.image.digest }}
# By digest: what is there already is what is meant.
imagePullPolicy: IfNotPresent
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  readOnlyRootFilesystem: true
  allowPrivilegeEscalation: false
  privileged: false
  capabilities:
    drop: [ALL]
  seccompProfile:
    type: RuntimeDefault
env:
  {{- include "loans.env" . | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - name: secrets
    mountPath: /run/secrets/branch-loan-api
    readOnly: true
  {{- if .Values.auth.jwksCa.configMap }}
  - name: jwks-ca
    mountPath: /run/jwks-ca
    readOnly: true
  {{- end }}
{{- end }}

{{/* What every pod has. */}}
{{- define "loans.pod" -}}
automountServiceAccountToken: false
# The addresses of the namespace's other services are no business of the server's.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
volumes:
  - name: secrets
    secret:
      secretName: {{ .Values.secrets.name }}
      # Owned by root; the group is the pod's fsGroup.
      defaultMode: 0440
  {{- with .Values.auth.jwksCa.configMap }}
  - name: jwks-ca
    configMap:
      name: {{ . }}
  {{- end }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
