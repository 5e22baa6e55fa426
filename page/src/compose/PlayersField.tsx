import type { CompositionInstrument } from "../api/schema.ts";
import { choosing, type Draft } from "./draft.ts";
import { ActButton, Rowed, useFollowing } from "./Rowed.tsx";
import { roleName, spelt } from "./told.ts";
import { choosingPlayers, MOST_PLAYERS, playedBy, type Playing, playersLine, playersOf, rolesFor, withPlayer } from "./whole.ts";

interface Props {
  draft: Draft;
  composed: readonly Playing[];
  /** All that there are, with what each can play. */
  instruments: readonly CompositionInstrument[];
  origin: string;
  onChange: (draft: Draft) => void;
}

/** Everyone who plays, and what. */
export function PlayersField({ draft, composed, instruments, origin, onChange }: Props) {
  const players = playersOf(draft, composed);
  const { list, follow } = useFollowing(players.length);
  const chosen = "players" in draft.asked;
  const choose = (now: readonly Playing[] | undefined) => onChange(choosing(draft, choosingPlayers(now)));
  const put = (at: number, player: Playing) => players.map((one, place) => (place === at ? player : one));
  const names = instruments.map(({ name }) => name);
  return (
    <Rowed
      id="players"
      label="Who plays"
      line={playersLine(players)}
      origin={chosen ? "your choice: nobody else plays" : origin}
      onLetGo={chosen ? () => choose(undefined) : undefined}
    >
      <ol ref={list} className="compose-rowed">
        {players.map((player, at) => (
          // oxlint-disable-next-line react/no-array-index-key -- two may be alike
          <li key={at}>
            <select
              className="field tight"
              aria-label={`Instrument ${at + 1}`}
              value={player.instrument}
              onChange={(event) => choose(put(at, playedBy(instruments, event.target.value, player.role)))}
            >
              {(names.includes(player.instrument) ? names : [player.instrument, ...names]).map((name) => (
                <option key={name} value={name}>
                  {spelt(name)}
                </option>
              ))}
            </select>
            <span className="compose-plays small">
              <span aria-hidden="true">plays</span>
              <select
                className="field tight"
                aria-label={`What ${spelt(player.instrument)} plays, instrument ${at + 1}`}
                value={player.role}
                onChange={(event) => choose(put(at, { ...player, role: event.target.value }))}
              >
                {rolesFor(instruments, player).map((role) => (
                  <option key={role} value={role}>
                    {roleName(role)}
                  </option>
                ))}
              </select>
            </span>
            <ActButton
              act="remove"
              name={`Leave out ${spelt(player.instrument)}, instrument ${at + 1}`}
              disabled={players.length === 1}
              onClick={() => {
                choose(players.toSpliced(at, 1));
                follow(at, "remove", `${spelt(player.instrument)} is left out`);
              }}
            />
          </li>
        ))}
      </ol>
      <select
        className="field tight"
        aria-label="Add an instrument"
        value=""
        disabled={players.length >= MOST_PLAYERS}
        onChange={(event) => choose(withPlayer(instruments, players, event.target.value))}
      >
        <option value="">Add an instrument…</option>
        {names.map((name) => (
          <option key={name} value={name}>
            {spelt(name)}
          </option>
        ))}
      </select>
    </Rowed>
  );
}
