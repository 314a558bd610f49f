import { StreamableFile } from '@nestjs/common';
import { Readable } from 'node:stream';
import { BYTE_ORDER_MARK } from './csv.js';

/** Some lines of a table; `rows` of them are not headings. */
export interface CsvPart {
  readonly text: string;
  readonly rows: number;
}

/** A table that is read while it is sent, part by part as the caller takes them. */
export class CsvFile extends StreamableFile {
  private readonly counted: { rows: number };

  constructor(name: string, parts: AsyncIterable<CsvPart>) {
    const counted = { rows: 0 };
    super(Readable.from(texts(parts, counted), { objectMode: false, highWaterMark: 64 * 1024 }), {
      type: 'text/csv; charset=utf-8; header=present',
      disposition: `attachment; filename="${name}.csv"`,
    });
    this.counted = counted;
  }

  /** How many were read out so far. */
  get rows(): number {
    return this.counted.rows;
  }
}

async function* texts(parts: AsyncIterable<CsvPart>, counted: { rows: number }): AsyncGenerator<string, void> {
  yield BYTE_ORDER_MARK;
  for await (const { text, rows } of parts) {
    counted.rows += rows;
    yield text;
  }
}
