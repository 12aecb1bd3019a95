import {
  createBucket,
  deleteBucket,
  deleteObjects,
  getLocation,
  getVersioning,
  headBucket,
  listBuckets,
  putVersioning,
} from './bucket-calls.ts';
import type { Handler } from './call.ts';
import { S3Fault } from './fault.ts';
import { deleteObject, getObject } from './get-object.ts';
import { listObjects, listVersions } from './list-objects.ts';
import { abortUpload, completeUpload, createUpload, listParts, uploadPart } from './multipart.ts';
import { copyObject, putObject } from './put-object.ts';
import type { S3Request } from './s3-request.ts';

interface Route {
  readonly method: string;
  /** Query parameters that must be there, with this value unless it is `undefined`. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** A header that must be there. */
  readonly header?: string;
  readonly handler: Handler;
}

const objectRoutes: readonly Route[] = [
  { method: 'GET', query: { uploadId: undefined }, handler: listParts },
  { method: 'GET', handler: getObject },
  { method: 'HEAD', handler: getObject },
  { method: 'PUT', query: { uploadId: undefined }, handler: uploadPart },
  { method: 'PUT', header: 'x-amz-copy-source', handler: copyObject },
  { method: 'PUT', handler: putObject },
  { method: 'POST', query: { uploads: undefined }, handler: createUpload },
  { method: 'POST', query: { uploadId: undefined }, handler: completeUpload },
  { method: 'DELETE', query: { uploadId: undefined }, handler: abortUpload },
  { method: 'DELETE', handler: deleteObject },
];

const bucketRoutes: readonly Route[] = [
  { method: 'PUT', query: { versioning: undefined }, handler: putVersioning },
  { method: 'PUT', handler: createBucket },
  { method: 'HEAD', handler: headBucket },
  { method: 'DELETE', handler: deleteBucket },
  { method: 'POST', query: { delete: undefined }, handler: deleteObjects },
  { method: 'GET', query: { versioning: undefined }, handler: getVersioning },
  { method: 'GET', query: { location: undefined }, handler: getLocation },
  { method: 'GET', query: { versions: undefined }, handler: listVersions },
  { method: 'GET', query: { 'list-type': '2' }, handler: listObjects },
];

const serviceRoutes: readonly Route[] = [{ method: 'GET', handler: listBuckets }];

/** Parts of the S3 API that would change what a call means if they were ignored. */
const unknownParameters = [
  ...[
    'acl',
    'attributes',
    'cors',
    'encryption',
    'legal-hold',
    'lifecycle',
    'logging',
    'notification',
  ],
  ...[
    'object-lock',
    'policy',
    'replication',
    'restore',
    'retention',
    'select',
    'tagging',
    'website',
  ],
];

function fits(route: Route, request: S3Request): boolean {
  return (
    route.method === request.method &&
    (route.header === undefined || request.header(route.header) !== undefined) &&
    Object.entries(route.query ?? {}).every(
      ([name, value]) =>
        request.query.has(name) && (value ?? request.query.get(name)) === request.query.get(name),
    )
  );
}

/** @throws S3Fault `NotImplemented`, `MethodNotAllowed` */
export function handlerOf(request: S3Request): Handler {
  const unknown = unknownParameters.find((name) => request.query.has(name));
  if (unknown !== undefined) throw new S3Fault('NotImplemented', `?${unknown} is not implemented.`);
  const routes =
    request.bucket === '' ? serviceRoutes : request.key === '' ? bucketRoutes : objectRoutes;
  const route = routes.find((one) => fits(one, request));
  if (route !== undefined) return route.handler;
  const known = routes.some((one) => one.method === request.method);
  throw known
    ? new S3Fault('NotImplemented', 'This form of the call is not implemented.')
    : new S3Fault('MethodNotAllowed', 'The method is not possible here.');
}
