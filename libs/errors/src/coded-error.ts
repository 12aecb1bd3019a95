/** What a {@link CodedError} carries beside its code. */
export interface CodedErrorOptions {
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** Facts safe to show and log: field names, byte offsets, limits. Never secrets or document content. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * Base of the one error class that each library has. `code` is a closed union per library, so that
 * callers decide by an exhaustive switch and never by message text.
 */
export abstract class CodedError<Code extends string> extends Error {
  readonly code: Code;
  readonly details: Readonly<Record<string, string | number | boolean>>;

  constructor(code: Code, message: string, options: CodedErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.details = options.details ?? {};
  }
}
