import { z } from 'zod';
import { CliError } from './error.ts';

const problemSchema = z.looseObject({
  code: z.string(),
  title: z.string().optional(),
  detail: z.string().optional(),
  errors: z.array(z.looseObject({ pointer: z.string().optional(), detail: z.string() })).optional(),
});

/** One call: the body is sent as JSON, the answer is parsed by `schema`. */
export interface ApiRequest<Schema extends z.ZodType> {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  readonly schema: Schema;
}

/** The signfleet API over HTTP, narrowed to one parsed call. */
export class ApiClient {
  readonly url: string;
  readonly #apiKey: string;

  constructor(options: { url: string; apiKey: string }) {
    this.url = options.url.replace(/\/+$/, '');
    this.#apiKey = options.apiKey;
  }

  /**
   * @throws CliError `api_unreachable` when no answer came, `api_refused` with the problem's code and
   * the names of the offending fields when the API said no.
   */
  async call<Schema extends z.ZodType>(request: ApiRequest<Schema>): Promise<z.output<Schema>> {
    const text = await this.text(request);
    return request.schema.parse(text === '' ? undefined : JSON.parse(text));
  }

  /** The same for an answer that is text, such as PEM. */
  async text(request: Omit<ApiRequest<z.ZodType>, 'schema'>): Promise<string> {
    const response = await this.#send(request);
    const text = await response.text();
    if (!response.ok) throw refusal(request, response.status, text);
    return text;
  }

  async #send(request: Omit<ApiRequest<z.ZodType>, 'schema'>): Promise<Response> {
    const target = new URL(this.url + request.path);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) target.searchParams.set(name, String(value));
    }
    const headers: Record<string, string> = { authorization: `Bearer ${this.#apiKey}` };
    if (request.body !== undefined) headers['content-type'] = 'application/json';
    if (request.idempotencyKey !== undefined) headers['idempotency-key'] = request.idempotencyKey;
    try {
      return await fetch(target, {
        method: request.method ?? 'GET',
        headers,
        signal: AbortSignal.timeout(60_000),
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
    } catch (cause) {
      throw new CliError('api_unreachable', `no answer from ${this.url}: is the API running?`, {
        cause,
      });
    }
  }
}

function refusal(
  request: Pick<ApiRequest<z.ZodType>, 'method' | 'path'>,
  status: number,
  text: string,
): CliError {
  const call = `${request.method ?? 'GET'} ${request.path}`;
  const problem = problemSchema.safeParse(parseJson(text));
  if (!problem.success) {
    return new CliError('api_refused', `${call} answered ${status}`, { details: { status } });
  }
  const { code, detail, title, errors = [] } = problem.data;
  const fields = errors.map((error) => `${error.pointer ?? 'body'}: ${error.detail}`).join('; ');
  const reason = [detail ?? title ?? code, fields].filter((part) => part !== '').join(': ');
  return new CliError('api_refused', `${call} was refused (${code}): ${reason}`, {
    details: { status, code },
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}
