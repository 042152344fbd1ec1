import { expect, test } from "vitest";
import { ChallengeBoard, type HttpAnswer } from "./challenge-board.ts";

const answer = (token: string): HttpAnswer => ({ kind: "http-01", token, keyAuthorization: "k" });

test("answers come and go, what stands is published whole each time", async () => {
  const published: string[] = [];
  const board = new ChallengeBoard(async (answers) => {
    published.push(answers.map((one) => (one as HttpAnswer).token).join());
  });
  const [one, two] = [answer("1"), answer("2")];
  await Promise.all([board.put(one), board.put(two)]);
  await board.remove([one]);
  await board.remove([one]);
  await board.remove([two]);
  expect(published).toEqual(["1", "1,2", "2", ""]);
});

test("workers do not take it, put says so", async () => {
  const board = new ChallengeBoard(async () => {
    throw new Error("no worker serves");
  });
  await expect(board.put(answer("1"))).rejects.toThrow("no worker serves");
});
