/** What came back from the API. */
export class Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;

  constructor(o: { status: number; headers: Readonly<Record<string, unknown>>; text: string }) {
    this.status = o.status;
    this.headers = o.headers;
    this.text = o.text;
  }

  /** The JSON object that it holds. */
  get body(): Readonly<Record<string, unknown>> {
    return record(JSON.parse(this.text));
  }

  get id(): string {
    return this.string('id');
  }

  get code(): string {
    return this.string('code');
  }

  /** Of a list. */
  get items(): readonly Readonly<Record<string, unknown>>[] {
    return records(this.body['items']);
  }

  /** The invalid fields that a problem names. */
  get errors(): readonly Readonly<Record<string, unknown>>[] {
    return records(this.body['errors']);
  }

  string(name: string): string {
    const value = this.body[name];
    if (typeof value === 'string') return value;
    throw new Error(`the answer ${this.status} has no text ${name}: ${this.text.slice(0, 500)}`);
  }
}

/** `value`, which has to be an object. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error('not an object');
  return value as Readonly<Record<string, unknown>>;
}

function records(value: unknown): Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(value)) throw new Error('not an array');
  return value.map(record);
}
