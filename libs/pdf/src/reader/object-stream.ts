import { decodeStream, type StreamContext } from './decode-stream.ts';
import { damaged, Lexer } from './lexer.ts';
import { parseValue } from './parse-value.ts';
import { entryOf, isIndex, type IndirectObject, type PdfStream } from './pdf-value.ts';

/** A decoded object stream (ISO 32000-2, 7.5.7): which objects it holds, each parsed on demand. */
export interface ObjectStream {
  readonly objectNumbers: readonly number[];
  object(objectNumber: number): IndirectObject | undefined;
}

/** Decodes the stream that is object `container`. Throws `damaged` with its offset. */
export function openObjectStream(
  stream: PdfStream,
  container: number,
  context: StreamContext,
): ObjectStream {
  const count = context.resolve(entryOf(stream.dictionary, 'N'));
  const first = context.resolve(entryOf(stream.dictionary, 'First'));
  if (!isIndex(count) || !isIndex(first)) {
    throw damaged('an object stream lacks its index', stream.dataStart);
  }
  const bytes = decodeStream(stream, context);
  const offsets = readIndex(new Lexer(bytes), count, first);
  return {
    objectNumbers: [...offsets.keys()],
    object(objectNumber) {
      const start = offsets.get(objectNumber);
      if (start === undefined || start >= bytes.length) return undefined;
      const lexer = new Lexer(bytes, start);
      const value = parseValue(lexer);
      return { objectNumber, generation: 0, bytes, start, end: lexer.position, value, container };
    },
  };
}

function readIndex(lexer: Lexer, count: number, first: number): ReadonlyMap<number, number> {
  const offsets = new Map<number, number>();
  for (let index = 0; index < count; index += 1) {
    const objectNumber = lexer.acceptInteger();
    const offset = lexer.acceptInteger();
    if (objectNumber === undefined || offset === undefined) break;
    offsets.set(objectNumber, first + offset);
  }
  return offsets;
}
