import { constants, inflateSync } from 'node:zlib';
import { PdfError } from '../error.ts';
import { Lexer } from './lexer.ts';
import { undoPredictor } from './predictor.ts';
import {
  entryOf,
  isArray,
  isDictionary,
  isIndex,
  isName,
  type PdfDictionary,
  type PdfStream,
  type PdfValue,
} from './pdf-value.ts';

/** Decoded object and cross-reference streams larger than this are refused. */
const MAXIMUM_DECODED_BYTES = 64 * 1024 * 1024;

/** What decoding needs of a document: bytes, and how to follow a reference. */
export interface StreamContext {
  readonly bytes: Uint8Array;
  resolve(value: PdfValue | undefined): PdfValue;
}

/**
 * The decoded data of a cross-reference or object stream: FlateDecode with predictors, or no filter
 * (ISO 32000-2, 7.4.4). Other filters do not occur on such streams in practice and are `damaged`.
 */
export function decodeStream(stream: PdfStream, context: StreamContext): Uint8Array {
  let data = encodedData(stream, context);
  const filters = listOf(context.resolve(entryOf(stream.dictionary, 'Filter')));
  const parameters = listOf(context.resolve(entryOf(stream.dictionary, 'DecodeParms')));
  filters.forEach((filter, index) => {
    const name = context.resolve(filter);
    if (!isName(name) || (name.name !== 'FlateDecode' && name.name !== 'Fl')) {
      throw new PdfError('damaged', 'a structural stream has an unexpected filter', {
        details: { offset: stream.dataStart },
      });
    }
    data = inflate(data, stream.dataStart);
    const parameter = context.resolve(parameters[index]);
    if (isDictionary(parameter)) data = undoPredictor(data, predictorOf(parameter, context));
  });
  return data;
}

/** The stream's raw bytes: by `/Length` when `endstream` follows, else up to the next `endstream`. */
function encodedData(stream: PdfStream, context: StreamContext): Uint8Array {
  const { bytes } = context;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = context.resolve(entryOf(stream.dictionary, 'Length'));
  if (isIndex(length) && stream.dataStart + length <= bytes.length) {
    const end = stream.dataStart + length;
    if (new Lexer(bytes, end).accept('endstream')) return bytes.subarray(stream.dataStart, end);
  }
  const end = view.indexOf('endstream', stream.dataStart, 'latin1');
  return bytes.subarray(stream.dataStart, end < 0 ? bytes.length : end);
}

function inflate(data: Uint8Array, offset: number): Uint8Array {
  try {
    // SYNC_FLUSH: a stream cut short or with a wrong checksum still yields what can be read.
    return inflateSync(data, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: MAXIMUM_DECODED_BYTES,
    });
  } catch (cause) {
    throw new PdfError('damaged', 'a compressed stream cannot be decoded', {
      cause,
      details: { offset },
    });
  }
}

function listOf(value: PdfValue): readonly PdfValue[] {
  if (value === null) return [];
  return isArray(value) ? value.items : [value];
}

function predictorOf(parameter: PdfDictionary, context: StreamContext) {
  const number = (key: string, fallback: number): number => {
    const value = context.resolve(entryOf(parameter, key));
    return isIndex(value) ? value : fallback;
  };
  return {
    predictor: number('Predictor', 1),
    colors: number('Colors', 1),
    bitsPerComponent: number('BitsPerComponent', 8),
    columns: number('Columns', 1),
  };
}
