import { z } from 'zod';
import { problems, type ProblemCode } from '../errors.ts';

const codes = Object.keys(problems) as [ProblemCode, ...ProblemCode[]];

export const problemCode = z.enum(codes);

const fieldError = z.object({
  pointer: z.string().meta({ description: 'JSON pointer (RFC 6901) to the field' }),
  in: z.enum(['body', 'query', 'path', 'header']),
  code: z.string(),
  detail: z.string(),
  certificateIndex: z.number().int().optional(),
});

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: problemCode,
    detail: z.string(),
    requestId: z.string().optional(),
    errors: z.array(fieldError).optional(),
  })
  .meta({ id: 'Problem', description: 'Problem details (RFC 9457)' });

/** The answers that every route can give beside its own. */
export const problemResponses = {
  default: {
    description: 'A problem',
    content: { 'application/problem+json': { schema: problem } },
  },
};

/** Header of every POST that creates something. */
export const idempotencyHeaders = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, { error: 'Use 1 to 255 visible ASCII characters' })
    .optional()
    .meta({ description: 'The same key with the same body gets the same answer' }),
});

/** 204: there is nothing to say. */
export const noContent = z.null().meta({ description: 'No content' });
