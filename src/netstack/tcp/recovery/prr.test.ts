import { expect, test } from "vitest";
import { Prr } from "./prr.ts";

const MSS = 1000;

test("one loss of 20 segments, ssthresh 14: about seven segments go for ten delivered", () => {
  // The situation of RFC 6937 §4.1: pipe 19, one segment delivered by each ACK.
  const prr = new Prr();
  prr.begin(20 * MSS);
  let inFlight = 19 * MSS;
  let sent = 0;
  for (let i = 0; i < 19; i++) {
    inFlight -= i === 0 ? 0 : MSS;
    prr.onAck(MSS, inFlight, false, 14 * MSS, MSS);
    while (prr.cwnd - inFlight >= MSS) {
      prr.onSent(MSS);
      inFlight += MSS;
      sent++;
    }
  }
  expect(sent).toBeGreaterThanOrEqual(13);
  expect(sent).toBeLessThanOrEqual(15);
  expect(inFlight).toBeLessThanOrEqual(15 * MSS);
});

test("first ack of a recovery: the first retransmission is let out, whatever the proportion", () => {
  const prr = new Prr();
  prr.begin(20 * MSS);
  prr.onAck(1, 19 * MSS, false, 10 * MSS, MSS);
  expect(prr.cwnd).toBe(20 * MSS);
});

test("pipe below ssthresh: packet conservation while losses go on, one more when they do not", () => {
  const prr = new Prr();
  prr.begin(20 * MSS);
  prr.onSent(MSS);
  prr.onAck(2 * MSS, 4 * MSS, false, 10 * MSS, MSS);
  expect(prr.cwnd).toBe(6 * MSS); // RFC 6937 §3: CRB
  prr.onAck(2 * MSS, 4 * MSS, true, 10 * MSS, MSS);
  expect(prr.cwnd).toBe(8 * MSS); // 4 delivered − 1 out + 1 of slow start
});

test("pipe just below ssthresh: never beyond it", () => {
  const prr = new Prr();
  prr.begin(20 * MSS);
  prr.onSent(MSS);
  prr.onAck(5 * MSS, 9 * MSS, true, 10 * MSS, MSS);
  expect(prr.cwnd).toBe(10 * MSS);
});
