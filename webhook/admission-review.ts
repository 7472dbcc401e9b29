import type { ApplicationRequest } from '#api/review.ts';
import { GROUP } from '#api/names.ts';
import { isMap, own } from '#api/schema.ts';

/** AdmissionReview of admission.k8s.io/v1, the parts that are read and written here. */

const API_VERSION = 'admission.k8s.io/v1';
const KIND = 'AdmissionReview';

export interface AdmissionRequest extends ApplicationRequest {
  uid: string;
  operation: string;
  name: string;
  namespace: string;
  user: string;
  dryRun: boolean;
  /** Whether it is about an Application that is created or updated: all else passes. */
  concerned: boolean;
}

export interface AdmissionResponse {
  uid: string;
  allowed: boolean;
  patchType?: 'JSONPatch';
  /** Base64 of a JSON Patch (RFC 6902). */
  patch?: string;
  warnings?: string[];
  status?: Status;
  auditAnnotations?: Record<string, string>;
}

/** metav1.Status, as the API server hands it on to whoever asked. */
export interface Status {
  status: 'Failure';
  code: number;
  reason: string;
  message: string;
  details?: { group: string; kind: string; name: string; causes: { reason: string; message: string; field: string }[] };
}

/** The request in a body, or the sentence that says why it is no AdmissionReview. */
export function readReview(body: Buffer): AdmissionRequest | string {
  let review: unknown;
  try {
    review = JSON.parse(body.toString('utf8'));
  } catch {
    return 'the body is not JSON';
  }
  if (!isMap(review) || own(review, 'kind') !== KIND) return 'the body is no AdmissionReview';
  if (own(review, 'apiVersion') !== API_VERSION) return `apiVersion of the AdmissionReview must be ${API_VERSION}`;
  const request = own(review, 'request');
  if (!isMap(request)) return 'the AdmissionReview has no request';
  const uid = own(request, 'uid');
  return typeof uid === 'string' && uid !== '' ? requestOf(request, uid) : 'the request has no uid';
}

function requestOf(request: Record<string, unknown>, uid: string): AdmissionRequest {
  const resource = mapOf(own(request, 'resource'));
  const operation = textOf(own(request, 'operation'));
  const oldObject = own(request, 'oldObject');
  const applications = own(resource, 'group') === GROUP && own(resource, 'resource') === 'applications';
  const object = own(request, 'object');
  const metadata = mapOf(own(mapOf(object), 'metadata'));
  return {
    uid,
    operation,
    // A name that the API server will generate is not there yet.
    name: textOf(own(request, 'name')) || textOf(own(metadata, 'name')) || textOf(own(metadata, 'generateName')),
    namespace: textOf(own(request, 'namespace')),
    user: textOf(own(mapOf(own(request, 'userInfo')), 'username')),
    dryRun: own(request, 'dryRun') === true,
    concerned: applications && (operation === 'CREATE' || operation === 'UPDATE') && textOf(own(request, 'subResource')) === '',
    object,
    ...(oldObject === undefined || oldObject === null ? {} : { oldObject }),
  };
}

/** The body of an answer. */
export function writeReview(response: AdmissionResponse): string {
  return JSON.stringify({ apiVersion: API_VERSION, kind: KIND, response });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function mapOf(value: unknown): Record<string, unknown> {
  return isMap(value) ? value : {};
}
