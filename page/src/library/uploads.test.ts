import { expect, test } from "vitest";
import type { JobAccepted } from "../api/schema.ts";
import { progressOfAll, Uploads } from "./uploads.ts";

interface Sent {
  name: string;
  brief: string | null;
  progress: (sent: number) => void;
  accept: () => Promise<void>;
  refuse: (reason: string) => Promise<void>;
  stopped: boolean;
}

const turn = () => new Promise<void>((done) => setTimeout(done));

/** Uploads whose sending the test decides, and what is being sent, in the order in which it began. */
function underTest(): { uploads: Uploads; sent: Sent[] } {
  const sent: Sent[] = [];
  const uploads = new Uploads(
    (file, brief, progress, stop) =>
      new Promise<JobAccepted>((resolve, reject) => {
        const one: Sent = {
          name: file.name,
          brief,
          progress,
          stopped: false,
          accept: () => {
            resolve({ job_id: file.name, status_url: "", track: file.name });
            return turn();
          },
          refuse: (reason) => {
            reject(new Error(reason));
            return turn();
          },
        };
        stop.addEventListener("abort", () => {
          one.stopped = true;
          reject(new Error("Stopped."));
        });
        sent.push(one);
      }),
  );
  return { uploads, sent };
}

const files = (...names: string[]) => names.map((name) => ({ file: new File(["0123456789"], name), path: `album/${name}` }));
const states = (uploads: Uploads) => uploads.all().map((one) => one.state);

test("two files are sent at a time, the next as soon as one is through, whatever became of that", async () => {
  const { uploads, sent } = underTest();
  uploads.add(files("a", "b", "c", "d"), '{"mixing":{}}');
  expect(states(uploads)).toEqual(["sending", "sending", "waiting", "waiting"]);
  await sent[1]?.refuse("b is text.");
  expect(states(uploads)).toEqual(["sending", "refused", "sending", "waiting"]);
  await sent[0]?.accept();
  expect(states(uploads)).toEqual(["accepted", "refused", "sending", "sending"]);
  expect(uploads.all()[1]?.reason).toBe("b is text.");
  expect(uploads.all()[0]?.accepted?.track).toBe("a");
  expect(sent.every((one) => one.brief === '{"mixing":{}}')).toBe(true);
});

test("progress is by bytes over all files, and over when none is under way", async () => {
  const { uploads, sent } = underTest();
  uploads.add(files("a", "b"), null);
  sent[0]?.progress(400); // with what surrounds the file in the form
  expect(uploads.all()[0]?.sent).toBe(10);
  expect(progressOfAll(uploads.all())).toBe(0.5);
  await sent[0]?.accept();
  await sent[1]?.accept();
  expect(progressOfAll(uploads.all())).toBeNull();
});

test("an empty file is refused at once and never sent", () => {
  const { uploads, sent } = underTest();
  uploads.add([{ file: new File([], "nothing.wav"), path: "nothing.wav" }], null);
  expect(uploads.all()[0]).toMatchObject({ state: "refused", reason: "It is empty." });
  expect(sent).toEqual([]);
});

test("what is stopped makes room for the next, and stays stopped when its request ends", async () => {
  const { uploads, sent } = underTest();
  uploads.add(files("a", "b", "c"), null);
  uploads.stop(uploads.all()[0]?.id ?? -1);
  expect(sent[0]?.stopped).toBe(true);
  await sent[1]?.accept();
  expect(states(uploads)).toEqual(["stopped", "accepted", "sending"]);
});

test("stopping all sends nothing more, and one that was stopped can be sent again", async () => {
  const { uploads, sent } = underTest();
  uploads.add(files("a", "b", "c", "d"), null);
  uploads.stopAll();
  await turn();
  expect(states(uploads)).toEqual(["stopped", "stopped", "stopped", "stopped"]);
  expect(sent).toHaveLength(2);
  uploads.again(uploads.all()[3]?.id ?? -1);
  expect(sent.at(-1)?.name).toBe("d");
  await sent.at(-1)?.accept();
  expect(states(uploads)).toEqual(["stopped", "stopped", "stopped", "accepted"]);
});

test("what is under way is not forgotten with the rest", async () => {
  const { uploads, sent } = underTest();
  uploads.add(files("a", "b"), null);
  await sent[0]?.accept();
  uploads.forget(new Set(uploads.all().map((one) => one.id)));
  expect(uploads.all().map((one) => one.path)).toEqual(["album/b"]);
});

test("each change gives another list, so that it is drawn; none gives the same", () => {
  const { uploads } = underTest();
  const before = uploads.all();
  expect(uploads.all()).toBe(before);
  uploads.add(files("a"), null);
  expect(uploads.all()).not.toBe(before);
});
