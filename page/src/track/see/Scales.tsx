/** What stands at the edge of the pictures: levels at the waveform, frequencies at the spectrogram. */
const LEVELS_DB = [-6, -12]; // by half and a quarter of full scale
const LOWEST_HZ = 40; // of the server's tiles, see resonate_resources/signal/spectrograph.py
const HIGHEST_HZ = 20_000;
const FREQUENCIES: readonly [number, string][] = [
  [100, "100"],
  [1000, "1k"],
  [10_000, "10k"],
];

export function LevelScale({ height }: { height: number }) {
  return (
    <div className="scale" aria-hidden="true" style={{ top: 0, height: `${height}px` }}>
      {LEVELS_DB.flatMap((level) => {
        const reach = 50 * 10 ** (level / 20);
        return [
          <div key={level} className="scale-line" style={{ top: `${50 - reach}%` }}>
            <span className="scale-mark">{`−${-level} dB`}</span>
          </div>,
          <div key={-level} className="scale-line" style={{ top: `${50 + reach}%` }} />,
        ];
      })}
    </div>
  );
}

export function FrequencyScale({ top, height }: { top: number; height: number }) {
  return (
    <div className="scale frequencies" aria-hidden="true" style={{ top: `${top}px`, height: `${height}px` }}>
      {FREQUENCIES.map(([hertz, name]) => {
        const share = Math.log(hertz / LOWEST_HZ) / Math.log(HIGHEST_HZ / LOWEST_HZ);
        return (
          <div key={hertz} className="scale-line" style={{ top: `${100 * (1 - share)}%` }}>
            <span className="scale-mark">{name} Hz</span>
          </div>
        );
      })}
    </div>
  );
}
