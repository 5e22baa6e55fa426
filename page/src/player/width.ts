/** Width by middle and side: the side times a factor, the middle as it is. */
const SECONDS = 0.01; // time constant

export class Width {
  readonly output: ChannelMergerNode;
  private readonly context: BaseAudioContext;
  // L' = straight·L + across·R, R' = across·L + straight·R
  private readonly straight: GainNode[];
  private readonly across: GainNode[];

  /** input: of two channels. factor: 0 is mono, 1 as it is. */
  constructor(context: BaseAudioContext, input: AudioNode, factor: number) {
    this.context = context;
    const split = new ChannelSplitterNode(context, { numberOfOutputs: 2 });
    this.output = new ChannelMergerNode(context, { numberOfInputs: 2 });
    this.straight = [0, 1].map(() => new GainNode(context, { gain: (1 + factor) / 2 }));
    this.across = [0, 1].map(() => new GainNode(context, { gain: (1 - factor) / 2 }));
    input.connect(split);
    for (const channel of [0, 1]) {
      split.connect(this.straight[channel] as GainNode, channel).connect(this.output, 0, channel);
      split.connect(this.across[channel] as GainNode, channel).connect(this.output, 0, 1 - channel);
    }
  }

  set(factor: number): void {
    const now = this.context.currentTime;
    for (const gain of this.straight) gain.gain.setTargetAtTime((1 + factor) / 2, now, SECONDS);
    for (const gain of this.across) gain.gain.setTargetAtTime((1 - factor) / 2, now, SECONDS);
  }
}
