import type { FastifySchemaCompiler } from 'fastify';
import type { $ZodIssue, $ZodType } from 'zod/v4/core';
import { safeParse } from 'zod/v4/core';
import { ApiError, notFound, type FieldError } from './errors.ts';

/** At most this many fields are named in one answer: a hostile body must not cause a huge one. */
const maxFieldErrors = 100;

const places = {
  body: 'body',
  querystring: 'query',
  params: 'path',
  headers: 'header',
} as const;

/** RFC 6901: `~` and `/` inside a name are escaped. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path
    .map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}

/**
 * Turns zod schemas into Fastify validators whose failure is an {@link ApiError} naming every bad
 * field. A path parameter of impossible form is answered like an id that does not exist.
 */
export const validatorCompiler: FastifySchemaCompiler<$ZodType> = ({ schema, httpPart }) => {
  const place = places[(httpPart ?? 'body') as keyof typeof places];
  return (data: unknown) => {
    const result = safeParse(schema, data);
    if (result.success) return { value: result.data };
    if (place === 'path') return { error: notFound() };
    const errors = fieldErrors(result.error.issues, place);
    const message = `${errors.length} invalid ${errors.length === 1 ? 'field' : 'fields'}: see errors`;
    return { error: new ApiError('invalid_request', message, { errors }) };
  };
};

/** The field errors of a failed parse, unknown fields one by one. */
export function fieldErrors(
  issues: readonly $ZodIssue[],
  place: FieldError['in'],
): readonly FieldError[] {
  return issues.flatMap((issue) => toFieldErrors(issue, place)).slice(0, maxFieldErrors);
}

function toFieldErrors(issue: $ZodIssue, place: FieldError['in']): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      pointer: jsonPointer([...issue.path, key]),
      in: place,
      code: 'unknown_field',
      detail: 'This field is not known here',
    }));
  }
  const absent = issue.path.length === 0 ? /received (undefined|null)$/ : /received undefined$/;
  const missing = issue.code === 'invalid_type' && absent.test(issue.message);
  return [
    {
      pointer: jsonPointer(issue.path),
      in: place,
      code: missing ? 'required' : issue.code === 'custom' ? 'invalid_value' : issue.code,
      detail: missing ? 'This is required' : issue.message,
    },
  ];
}
