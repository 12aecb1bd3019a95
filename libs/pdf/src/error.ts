import { CodedError } from '@signfleet/errors';

/**
 * Why a PDF could not be read, signed or sealed.
 *
 * - `not_a_pdf`: no `%PDF-` header near the start.
 * - `encrypted`: the trailer has an `/Encrypt` entry.
 * - `damaged`: the structure cannot be read; `details.offset` or `details.objectNumber` says where.
 * - `too_complex`: a bound on depth, length or decoded size was met; same details.
 * - `no_pages`: the page tree has no page.
 * - `certification_forbids`: certified with DocMDP P=1, no change allowed.
 * - `field_exists`: the wanted field name is taken by another field or a signed one.
 * - `field_name_invalid`: empty, or with a full stop in a name to be created (ISO 32000-2, 12.7.4.2).
 * - `contents_size_invalid`: the size asked for `/Contents` is not a positive whole number of bytes.
 * - `contents_overflow`: the CMS is larger than the space reserved for it.
 */
export type PdfErrorCode =
  | 'not_a_pdf'
  | 'encrypted'
  | 'damaged'
  | 'too_complex'
  | 'no_pages'
  | 'certification_forbids'
  | 'field_exists'
  | 'field_name_invalid'
  | 'contents_size_invalid'
  | 'contents_overflow';

/** The one error class of this library. Messages and details never contain document content. */
export class PdfError extends CodedError<PdfErrorCode> {}
