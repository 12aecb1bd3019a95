import { MultiBar, Presets, type SingleBar } from 'cli-progress';

/** The stages a batch goes through, in order; each has its own bar. */
export const stages = ['upload', 'sign', 'webhooks', 'download', 'verify'] as const;
export type Stage = (typeof stages)[number];

/** Progress of one run: bars on a terminal, one line per finished stage elsewhere. */
export interface Progress {
  advance(stage: Stage, by?: number): void;
  finish(): void;
}

export function openProgress(total: number, stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? barProgress(total, stream) : lineProgress(total, stream);
}

function barProgress(total: number, stream: NodeJS.WriteStream): Progress {
  const format = '  {stage} {bar} {value}/{total} {duration_formatted}';
  const multi = new MultiBar({ format, stream, hideCursor: true }, Presets.shades_grey);
  const bars = new Map<Stage, SingleBar>();
  for (const stage of stages) bars.set(stage, multi.create(total, 0, { stage: stage.padEnd(9) }));
  return {
    advance: (stage, by = 1) => bars.get(stage)?.increment(by),
    finish: () => multi.stop(),
  };
}

function lineProgress(total: number, stream: NodeJS.WriteStream): Progress {
  const counts = new Map<Stage, number>();
  return {
    advance: (stage, by = 1) => {
      if (by === 0) return;
      const count = (counts.get(stage) ?? 0) + by;
      counts.set(stage, count);
      if (count === total) stream.write(`  ${stage.padEnd(9)} ${count}/${total}\n`);
    },
    finish: () => undefined,
  };
}
