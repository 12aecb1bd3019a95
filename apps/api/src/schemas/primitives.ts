import { z } from 'zod';

/** Neither control characters nor lone surrogates, which no store downstream can hold. */
const printable = /^[^\p{Cc}\p{Cs}\uFFFE\uFFFF]*$/u;

/** Free text on one line, `max` UTF-16 code units. */
export const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(printable, { error: 'Control characters and lone surrogates are not allowed' });

/** The id of a resource: three letters, an underscore, a sortable part. */
export const id = z
  .string()
  .max(64)
  .regex(/^[a-z]{3}_[0-9A-Za-z_-]{8,}$/, { error: 'This is not an id' });

/** RFC 3339 in UTC. */
export const time = z.iso.datetime();

export const idParams = z.strictObject({ id });

/** Names such as S3 allows: 3 to 63 of a-z, 0-9, `.` and `-`, and no IPv4 address. */
export const bucketName = z
  .string()
  .min(3)
  .max(63)
  .regex(/^(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]*[a-z0-9]$/, {
    error: 'This is not a bucket name',
  });

/** 1 to 1,024 bytes of UTF-8; path steps `.` and `..` are refused since URLs cannot carry them. */
export const objectKey = z
  .string()
  .min(1)
  .max(1024)
  .regex(printable, { error: 'Control characters and lone surrogates are not allowed' })
  .refine((key) => Buffer.byteLength(key, 'utf8') <= 1024, {
    error: 'The key is longer than 1,024 bytes',
  })
  .refine((key) => !key.split('/').some((step) => step === '.' || step === '..'), {
    error: 'The key may not contain the path steps . or ..',
  });

/** Up to 50 pairs of text that travel with the resource and its events. */
export const metadata = z
  .record(
    text(40),
    z
      .string()
      .max(500)
      .regex(printable, { error: 'Control characters and lone surrogates are not allowed' }),
  )
  .refine((pairs) => Object.keys(pairs).length <= 50, { error: 'At most 50 pairs' });

/** Query members of every list: page size and the position returned by the page before. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
};

export const listQuery = z.strictObject(pageQuery);

/** A page of a list. */
export const page = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().meta({ description: 'null on the last page' }),
  });
