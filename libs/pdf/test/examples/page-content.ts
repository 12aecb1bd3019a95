/** A page's content stream in the making: text and lines in Helvetica, origin at the lower left. */
export class PageContent {
  #operators = '';

  /** Writes text in Windows-1252; `style` picks a font of {@link fontObjects}. */
  text(at: readonly [number, number], size: number, text: string, style: 'F1' | 'F2' = 'F1'): this {
    const escaped = text.replace(/[\\()]/g, (character) => `\\${character}`);
    this.#operators += `BT /${style} ${size} Tf ${at[0]} ${at[1]} Td (${escaped}) Tj ET\n`;
    return this;
  }

  /** Lines of one column, downwards from `at`. */
  paragraph(at: readonly [number, number], size: number, lines: readonly string[]): this {
    lines.forEach((line, index) => this.text([at[0], at[1] - index * size * 1.5], size, line));
    return this;
  }

  /** A filled rectangle; `color` is RGB from 0 to 1. */
  rectangle(box: readonly [number, number, number, number], color: readonly number[]): this {
    this.#operators += `${color.join(' ')} rg ${box.join(' ')} re f 0 0 0 rg\n`;
    return this;
  }

  line(from: readonly [number, number], to: readonly [number, number], width = 0.5): this {
    this.#operators += `${width} w ${from.join(' ')} m ${to.join(' ')} l S\n`;
    return this;
  }

  operators(): string {
    return this.#operators;
  }
}

/** The two standard fonts, regular and bold, which every viewer has. */
export function fontObjects(first: number): Map<number, string> {
  const font = (name: string): string =>
    `<< /Type /Font /Subtype /Type1 /BaseFont /${name} /Encoding /WinAnsiEncoding >>`;
  return new Map([
    [first, font('Helvetica')],
    [first + 1, font('Helvetica-Bold')],
  ]);
}
