import { PdfError } from '../error.ts';

/** The predictor parameters of ISO 32000-2, table 8. */
export interface PredictorParameters {
  readonly predictor: number;
  readonly colors: number;
  readonly bitsPerComponent: number;
  readonly columns: number;
}

/** Undoes a PNG predictor (10 to 15), or TIFF predictor 2 for 8-bit components. */
export function undoPredictor(data: Uint8Array, parameters: PredictorParameters): Uint8Array {
  const { predictor, colors, bitsPerComponent, columns } = parameters;
  if (predictor <= 1) return data;
  const pixelBytes = Math.max(1, (colors * bitsPerComponent) >> 3);
  const rowBytes = Math.ceil((colors * bitsPerComponent * columns) / 8);
  if (rowBytes < 1 || rowBytes > data.length + 16) {
    throw new PdfError('damaged', 'a predictor has impossible parameters');
  }
  return predictor === 2
    ? undoTiff(data, rowBytes, pixelBytes)
    : undoPng(data, rowBytes, pixelBytes);
}

function undoTiff(data: Uint8Array, rowBytes: number, pixelBytes: number): Uint8Array {
  const output = Uint8Array.from(data);
  for (let index = 0; index < output.length; index += 1) {
    if (index % rowBytes >= pixelBytes) {
      output[index] = (output[index] ?? 0) + (output[index - pixelBytes] ?? 0);
    }
  }
  return output;
}

function undoPng(data: Uint8Array, rowBytes: number, pixelBytes: number): Uint8Array {
  const rows = Math.ceil(data.length / (rowBytes + 1));
  const output = new Uint8Array(rows * rowBytes);
  let written = 0;
  for (let row = 0; row < rows; row += 1) {
    const source = row * (rowBytes + 1);
    const target = row * rowBytes;
    const filter = data[source] ?? 0;
    const length = Math.min(rowBytes, data.length - source - 1);
    for (let column = 0; column < length; column += 1) {
      const raw = data[source + 1 + column] ?? 0;
      const left = column < pixelBytes ? 0 : (output[target + column - pixelBytes] ?? 0);
      const up = row === 0 ? 0 : (output[target + column - rowBytes] ?? 0);
      const upLeft =
        row === 0 || column < pixelBytes
          ? 0
          : (output[target + column - rowBytes - pixelBytes] ?? 0);
      output[target + column] = raw + prediction(filter, left, up, upLeft);
    }
    written = target + Math.max(0, length);
  }
  return output.subarray(0, written);
}

/** The PNG filter functions (PNG specification, 9.2). */
function prediction(filter: number, left: number, up: number, upLeft: number): number {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4: {
      const estimate = left + up - upLeft;
      const a = Math.abs(estimate - left);
      const b = Math.abs(estimate - up);
      const c = Math.abs(estimate - upLeft);
      if (a <= b && a <= c) return left;
      return b <= c ? up : upLeft;
    }
    default:
      return 0;
  }
}
