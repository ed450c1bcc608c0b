// When to call, when to call again, when to wait and when to give up: sentences with a clock of their own.

import assert from "node:assert/strict";
import test from "node:test";
import { ANSWER_MS, CAMERA_LOST_MS, CONNECT_MS, DISCONNECTED_MS, DOUBT_MS, GOOD_CALL_MS, Life, SILENCE_MS, type Deed, type Fact } from "../src/life";
import { isFinal, OWN_REASONS } from "../src/reasons";
import { RECALL_MS } from "../src/told";
import { REASONS } from "../src/wire";

test("a camera that is in the room is called at once", () => {
  const camera = new Camera();
  assert.deepEqual(camera.tell({ is: "present", anew: false }), [{ do: "call", tag: "call-1" }]);
  assert.equal(camera.word(), "calling");
});

test("nobody is called before the relay says that the camera is there", () => {
  const camera = new Camera();
  assert.equal(camera.word(), "relay-lost");
  assert.deepEqual(camera.tell({ is: "call" }), []);
  assert.deepEqual(camera.tell({ is: "gone" }), []);
  assert.equal(camera.word(), "absent");
});

test("the first picture makes a call live", () => {
  const camera = new Camera().calling();
  assert.deepEqual(camera.tell({ is: "answered", tag: "call-1" }), []);
  assert.deepEqual(camera.tell({ is: "path", tag: "call-1", state: "connected" }), []);
  assert.equal(camera.word(), "calling");
  assert.deepEqual(camera.tell({ is: "picture", tag: "call-1" }), []);
  assert.equal(camera.word(), "live");
  assert.equal(camera.life.deadline(), null);
});

test("on a hidden page, where no picture is drawn, arriving frames make a call live", () => {
  const camera = new Camera().calling();
  camera.tell({ is: "frames", tag: "call-1", total: 0 });
  assert.equal(camera.word(), "calling");
  camera.tell({ is: "frames", tag: "call-1", total: 3 });
  assert.equal(camera.word(), "live");
});

test("a call nobody answers is ended and made again", () => {
  const camera = new Camera().calling();
  assert.equal(camera.life.deadline(), ANSWER_MS);
  assert.deepEqual(camera.after(ANSWER_MS), [{ do: "drop", tag: "call-1", bye: "no-connection" }]);
  assert.deepEqual(camera.life.view(), { word: "absent", reason: "unanswered" });
  assert.deepEqual(camera.after(500), [{ do: "call", tag: "call-2" }]);
});

test("a camera that does not answer is said to be so while it is called again and again, until it answers", () => {
  const camera = new Camera().calling();
  for (let call = 2; call <= 4; call++) {
    camera.after(ANSWER_MS);
    assert.deepEqual(camera.after(5_000), [{ do: "call", tag: `call-${call}` }]);
    assert.deepEqual(camera.life.view(), { word: "absent", reason: "unanswered" });
  }
  camera.tell({ is: "answered", tag: "call-4" });
  assert.deepEqual(camera.life.view(), { word: "calling", reason: null });
});

test("a camera that was killed where nobody tells of it is missed, and said not to answer", () => {
  const camera = new Camera().live();
  camera.frames(GOOD_CALL_MS);
  assert.deepEqual(camera.silence(SILENCE_MS), [{ do: "drop", tag: "call-1", bye: "silent" }, { do: "call", tag: "call-2" }]);
  assert.deepEqual(camera.life.view(), { word: "again", reason: "silent" });
  camera.after(ANSWER_MS);
  assert.deepEqual(camera.life.view(), { word: "absent", reason: "unanswered" });
});

test("a camera that is not in the room is not said to have lost its picture, and is called every few seconds", () => {
  const camera = new Camera().calling();
  for (let call = 1; call <= 3; call++) {
    assert.deepEqual(camera.tell({ is: "over", tag: `call-${call}`, reason: "not-here" }), [{ do: "drop", tag: `call-${call}`, bye: null }]);
    assert.deepEqual(camera.life.view(), { word: "absent", reason: "not-here" });
    assert.deepEqual(camera.after(2_999), []);
    assert.deepEqual(camera.after(1), [{ do: "call", tag: `call-${call + 1}` }]);
    assert.deepEqual(camera.life.view(), { word: "absent", reason: "not-here" });
  }
  camera.tell({ is: "answered", tag: "call-4" });
  assert.equal(camera.word(), "calling");
});

test("a relay that cannot hand on what is said in an answered call does not end it", () => {
  const answered = new Camera().calling();
  answered.tell({ is: "answered", tag: "call-1" });
  for (const camera of [answered, new Camera().live()]) {
    assert.deepEqual(camera.tell({ is: "over", tag: "call-1", reason: "not-here" }), []);
    assert.equal(camera.life.call(), "call-1");
  }
});

test("why the last call failed is said until one is live, or there is a new reason to hope", () => {
  const camera = new Camera().calling();
  camera.tell({ is: "answered", tag: "call-1" });
  camera.tell({ is: "path", tag: "call-1", state: "failed" });
  assert.deepEqual(camera.after(500), [{ do: "call", tag: "call-2" }]);
  assert.deepEqual(camera.life.view(), { word: "calling", reason: "no-connection" });
  camera.tell({ is: "relay-down" });
  camera.tell({ is: "present", anew: false });
  assert.deepEqual(camera.life.view(), { word: "calling", reason: null });
  camera.tell({ is: "picture", tag: "call-3" });
  camera.frames(GOOD_CALL_MS);
  camera.tell({ is: "path", tag: "call-3", state: "failed" });
  assert.deepEqual(camera.life.view(), { word: "again", reason: "no-connection" });
  camera.tell({ is: "picture", tag: "call-4" });
  camera.tell({ is: "hang-up" });
  camera.tell({ is: "call" });
  assert.deepEqual(camera.life.view(), { word: "again", reason: null });
});

test("an answered call that shows nothing is ended and made again", () => {
  const camera = new Camera().calling();
  camera.after(1_000);
  camera.tell({ is: "answered", tag: "call-1" });
  assert.deepEqual(camera.after(CONNECT_MS - 1), []);
  assert.deepEqual(camera.after(1), [{ do: "drop", tag: "call-1", bye: "no-connection" }]);
});

test("the pauses between failed calls grow from half a second to five", () => {
  const camera = new Camera().calling();
  const pauses = [];
  for (let call = 1; call <= 7; call++) {
    camera.tell({ is: "path", tag: `call-${call}`, state: "failed" });
    pauses.push(camera.life.deadline()! - camera.now);
    assert.deepEqual(camera.after(pauses.at(-1)!), [{ do: "call", tag: `call-${call + 1}` }]);
  }
  assert.deepEqual(pauses, [500, 1000, 2000, 4000, 5000, 5000, 5000]);
});

test("chance spreads the pauses by a quarter either way", () => {
  for (const [chance, pause] of [[0, 375], [0.999, 624.75]] as const) {
    const camera = new Camera(chance).calling();
    camera.tell({ is: "path", tag: "call-1", state: "failed" });
    assert.equal(camera.life.deadline(), pause);
  }
});

test("when a good call breaks, the next one is made at once", () => {
  const camera = new Camera().live();
  camera.frames(GOOD_CALL_MS);
  const deeds = camera.tell({ is: "path", tag: "call-1", state: "failed" });
  assert.deepEqual(deeds, [{ do: "drop", tag: "call-1", bye: "no-connection" }, { do: "call", tag: "call-2" }]);
  assert.equal(camera.word(), "again");
});

test("a call that breaks right after its first picture is not repeated without a pause", () => {
  const camera = new Camera().live();
  assert.deepEqual(camera.tell({ is: "path", tag: "call-1", state: "failed" }), [
    { do: "drop", tag: "call-1", bye: "no-connection" },
  ]);
  assert.deepEqual(camera.after(500), [{ do: "call", tag: "call-2" }]);
});

test("a live call whose frames stop is made again after four seconds", () => {
  const camera = new Camera().live();
  camera.frames(GOOD_CALL_MS);
  assert.deepEqual(camera.silence(SILENCE_MS - 1_000), []);
  assert.deepEqual(camera.silence(1_000), [{ do: "drop", tag: "call-1", bye: "silent" }, { do: "call", tag: "call-2" }]);
});

test("a page that slept does not take its own sleep for the camera's silence", () => {
  const camera = new Camera().live();
  camera.frames(GOOD_CALL_MS);
  camera.now += 3_600_000;
  assert.deepEqual(camera.tell({ is: "frames", tag: "call-1", total: camera.total }), []);
  camera.frames(1_000);
  assert.deepEqual(camera.silence(SILENCE_MS - 1_000), []);
  assert.equal(camera.word(), "live");
});

test("a path that is cut for five seconds means a new call, a shorter cut does not", () => {
  const camera = new Camera().live();
  camera.frames(GOOD_CALL_MS);
  camera.tell({ is: "path", tag: "call-1", state: "disconnected" });
  assert.deepEqual(camera.after(DISCONNECTED_MS - 1), []);
  camera.tell({ is: "path", tag: "call-1", state: "connected" });
  assert.equal(camera.life.deadline(), null);
  camera.tell({ is: "path", tag: "call-1", state: "disconnected" });
  assert.deepEqual(camera.after(DISCONNECTED_MS), [
    { do: "drop", tag: "call-1", bye: "no-connection" }, { do: "call", tag: "call-2" },
  ]);
});

test("losing the relay is not losing the call", () => {
  const camera = new Camera().live();
  assert.deepEqual(camera.tell({ is: "relay-down" }), []);
  assert.deepEqual(camera.frames(60_000), []);
  assert.equal(camera.word(), "live");
  assert.deepEqual(camera.tell({ is: "present", anew: false }), []);
  assert.deepEqual(camera.frames(60_000), []);
  assert.equal(camera.word(), "live");
});

test("when the relay comes back and the call is dead, the camera is called without waiting four seconds", () => {
  const camera = new Camera().live();
  camera.frames(GOOD_CALL_MS);
  camera.tell({ is: "relay-down" });
  camera.silence(1_000);
  assert.deepEqual(camera.tell({ is: "present", anew: false }), []);
  assert.deepEqual(camera.silence(DOUBT_MS), [{ do: "drop", tag: "call-1", bye: "silent" }, { do: "call", tag: "call-2" }]);
});

test("a daemon that was restarted is called again as soon as its old call is seen to be dead", () => {
  const camera = new Camera().live();
  camera.frames(GOOD_CALL_MS);
  camera.tell({ is: "gone" });
  assert.deepEqual(camera.tell({ is: "present", anew: true }), []);
  assert.deepEqual(camera.silence(DOUBT_MS), [{ do: "drop", tag: "call-1", bye: "silent" }, { do: "call", tag: "call-2" }]);
});

test("a camera that only came back to its relay keeps the call that still shows pictures", () => {
  const camera = new Camera().live();
  camera.tell({ is: "gone" });
  camera.tell({ is: "present", anew: true });
  assert.deepEqual(camera.frames(60_000), []);
  assert.equal(camera.word(), "live");
});

test("a call that broke while the relay is away is made again when the relay is back, without a pause", () => {
  const camera = new Camera().live();
  camera.tell({ is: "relay-down" });
  assert.deepEqual(camera.silence(SILENCE_MS), [{ do: "drop", tag: "call-1", bye: "silent" }]);
  assert.equal(camera.word(), "relay-lost");
  assert.equal(camera.life.deadline(), null);
  assert.deepEqual(camera.after(60_000), []);
  assert.deepEqual(camera.tell({ is: "present", anew: false }), [{ do: "call", tag: "call-2" }]);
  assert.equal(camera.word(), "again");
});

test("an offer that may have been lost with the relay is made anew", () => {
  const camera = new Camera().calling();
  camera.tell({ is: "relay-down" });
  assert.equal(camera.word(), "calling");
  assert.deepEqual(camera.tell({ is: "present", anew: false }), [
    { do: "drop", tag: "call-1", bye: null }, { do: "call", tag: "call-2" },
  ]);
});

test("a call that is answered already is left alone when the relay comes back", () => {
  const camera = new Camera().calling();
  camera.tell({ is: "answered", tag: "call-1" });
  camera.tell({ is: "relay-down" });
  assert.deepEqual(camera.tell({ is: "present", anew: false }), []);
});

test("hearing again that the camera is there changes nothing", () => {
  const camera = new Camera().calling();
  assert.deepEqual(camera.tell({ is: "present", anew: false }), []);
});

test("a camera that left without answering is not waited for, and is called when it is back", () => {
  const camera = new Camera().calling();
  assert.deepEqual(camera.tell({ is: "gone" }), [{ do: "drop", tag: "call-1", bye: null }]);
  assert.equal(camera.word(), "absent");
  assert.deepEqual(camera.after(600_000), []);
  assert.deepEqual(camera.tell({ is: "present", anew: true }), [{ do: "call", tag: "call-2" }]);
});

test("a camera that left its relay is still watched while frames arrive", () => {
  const camera = new Camera().live();
  assert.deepEqual(camera.tell({ is: "gone" }), []);
  assert.deepEqual(camera.frames(60_000), []);
  assert.equal(camera.word(), "live");
  assert.deepEqual(camera.silence(SILENCE_MS), [{ do: "drop", tag: "call-1", bye: "silent" }]);
  assert.equal(camera.word(), "absent");
});

test("when the network is back, a waiting page calls at once", () => {
  const camera = new Camera().calling();
  for (let call = 1; call <= 5; call++) {
    camera.tell({ is: "path", tag: `call-${call}`, state: "failed" });
    if (call < 5) camera.after(5_000);
  }
  assert.deepEqual(camera.tell({ is: "online" }), [{ do: "call", tag: "call-6" }]);
});

test("when the network is back and the path is cut, the call is made again at once", () => {
  const camera = new Camera().live();
  camera.frames(GOOD_CALL_MS);
  camera.tell({ is: "path", tag: "call-1", state: "disconnected" });
  assert.deepEqual(camera.tell({ is: "online" }), [
    { do: "drop", tag: "call-1", bye: "no-connection" }, { do: "call", tag: "call-2" },
  ]);
});

test("when the network changes under a call that goes on, nothing happens", () => {
  const camera = new Camera().live();
  assert.deepEqual(camera.tell({ is: "online" }), []);
  assert.deepEqual(camera.frames(60_000), []);
});

test("a busy camera is called again only after ten seconds, even when the network comes back meanwhile", () => {
  const camera = new Camera().calling();
  assert.deepEqual(camera.tell({ is: "over", tag: "call-1", reason: "busy" }), [{ do: "drop", tag: "call-1", bye: null }]);
  assert.deepEqual(camera.life.view(), { word: "waiting", reason: "busy" });
  assert.deepEqual(camera.tell({ is: "online" }), []);
  assert.deepEqual(camera.after(9_999), []);
  assert.deepEqual(camera.after(1), [{ do: "call", tag: "call-2" }]);
});

test("a browser without a format in common gives up, and a person may try again", () => {
  const camera = new Camera().calling();
  camera.tell({ is: "over", tag: "call-1", reason: "no-codec" });
  assert.deepEqual(camera.life.view(), { word: "refused", reason: "no-codec" });
  assert.deepEqual(camera.after(600_000), []);
  assert.deepEqual(camera.tell({ is: "call" }), [{ do: "call", tag: "call-2" }]);
});

test("who was given up on is asked once more when the camera comes back, perhaps with other settings", () => {
  const camera = new Camera().calling();
  camera.tell({ is: "over", tag: "call-1", reason: "no-codec" });
  camera.tell({ is: "gone" });
  assert.deepEqual(camera.tell({ is: "present", anew: true }), [{ do: "call", tag: "call-2" }]);
});

test("a call taken over by another window is not taken back by itself", () => {
  const camera = new Camera().live();
  camera.tell({ is: "over", tag: "call-1", reason: "replaced" });
  assert.deepEqual(camera.life.view(), { word: "ended", reason: "replaced" });
  assert.deepEqual(camera.after(600_000), []);
  camera.tell({ is: "relay-down" });
  assert.deepEqual(camera.tell({ is: "present", anew: true }), []);
  assert.deepEqual(camera.tell({ is: "call" }), [{ do: "call", tag: "call-2" }]);
});

test("every reason either ends the page's efforts or leads to another call", () => {
  for (const reason of [...REASONS, ...OWN_REASONS]) {
    const camera = new Camera().calling();
    camera.tell({ is: "over", tag: "call-1", reason });
    const { word } = camera.life.view();
    const next = camera.after(60_000);
    if (word === "ended" || word === "refused") assert.deepEqual(next, [], reason);
    else assert.deepEqual(next, [{ do: "call", tag: "call-2" }], reason);
  }
});

test("an answer that is not believed ends the call, the camera is told, and nothing calls until a person does", () => {
  for (const why of ["unproved", "changed"] as const) {
    const camera = new Camera().calling();
    assert.deepEqual(camera.tell({ is: "doubted", tag: "call-1", why }), [{ do: "drop", tag: "call-1", bye: "bad-answer" }]);
    assert.deepEqual(camera.life.view(), { word: "refused", reason: why });
    assert.deepEqual(camera.after(600_000), []);
    assert.deepEqual(camera.tell({ is: "call" }), [{ do: "call", tag: "call-2" }]);
  }
});

test("a key that was taken back or has expired ends the call, and nothing ever calls again", () => {
  for (const reason of ["revoked-key", "expired-key"] as const) {
    for (const camera of [new Camera().calling(), new Camera().live()]) {
      assert.deepEqual(camera.tell({ is: "over", tag: "call-1", reason }), [{ do: "drop", tag: "call-1", bye: null }]);
      for (const fact of [
        { is: "call" }, { is: "hang-up" }, { is: "otherwise" }, { is: "online" }, { is: "relay-down" }, { is: "turned-away", why: "revoked-key" },
        { is: "present", anew: true }, { is: "gone" }, { is: "present", anew: false }, { is: "camera-back" },
      ] as Fact[]) {
        assert.deepEqual(camera.tell(fact), [], fact.is);
        assert.deepEqual(camera.life.view(), { word: "refused", reason });
        assert.ok(camera.life.isOver());
      }
    }
  }
});

test("only an old key makes it final; a camera that refuses for another reason may be called again", () => {
  assert.deepEqual([...REASONS, ...OWN_REASONS].filter(isFinal).sort(), ["expired-key", "revoked-key"]);
  const camera = new Camera().calling();
  camera.tell({ is: "over", tag: "call-1", reason: "no-key" });
  assert.ok(!camera.life.isOver());
  assert.deepEqual(camera.tell({ is: "call" }), [{ do: "call", tag: "call-2" }]);
});

test("a relay that turns us away says why, and the camera is called when it lets us in", () => {
  const camera = new Camera();
  assert.deepEqual(camera.tell({ is: "turned-away", why: "not-allowed" }), []);
  assert.deepEqual(camera.life.view(), { word: "turned-away", reason: "not-allowed" });
  assert.deepEqual(camera.tell({ is: "call" }), []);
  assert.deepEqual(camera.after(600_000), []);
  assert.deepEqual(camera.tell({ is: "present", anew: false }), [{ do: "call", tag: "call-1" }]);
  assert.deepEqual(camera.life.view(), { word: "calling", reason: null });
});

test("being turned away by the relay is not losing the call; why is said when the call has ended", () => {
  const camera = new Camera().live();
  camera.tell({ is: "relay-down" });
  assert.deepEqual(camera.tell({ is: "turned-away", why: "expired-key" }), []);
  assert.deepEqual(camera.frames(60_000), []);
  assert.equal(camera.word(), "live");
  assert.deepEqual(camera.silence(SILENCE_MS), [{ do: "drop", tag: "call-1", bye: "silent" }]);
  assert.deepEqual(camera.life.view(), { word: "turned-away", reason: "expired-key" });
  assert.deepEqual(camera.after(600_000), []);
});

test("a relay that is lost after it turned us away is only lost", () => {
  const camera = new Camera();
  camera.tell({ is: "turned-away", why: "busy" });
  camera.tell({ is: "relay-down" });
  assert.equal(camera.word(), "relay-lost");
  camera.tell({ is: "turned-away", why: "busy" });
  camera.tell({ is: "gone" });
  assert.equal(camera.word(), "absent");
});

test("a person hangs up: the camera is told, and nothing calls until the person does", () => {
  const camera = new Camera().live();
  assert.deepEqual(camera.tell({ is: "hang-up" }), [{ do: "drop", tag: "call-1", bye: "hang-up" }]);
  assert.equal(camera.word(), "ended");
  for (const fact of [{ is: "online" }, { is: "relay-down" }, { is: "present", anew: true }, { is: "camera-back" }] as Fact[]) {
    assert.deepEqual(camera.tell(fact), []);
  }
  assert.deepEqual(camera.tell({ is: "call" }), [{ do: "call", tag: "call-2" }]);
});

test("hanging up while waiting for the next attempt ends the waiting", () => {
  const camera = new Camera().calling();
  camera.tell({ is: "path", tag: "call-1", state: "failed" });
  assert.deepEqual(camera.tell({ is: "hang-up" }), []);
  assert.deepEqual(camera.after(600_000), []);
  assert.equal(camera.word(), "ended");
});

test("calling while a call is under way changes nothing", () => {
  const camera = new Camera().live();
  assert.deepEqual(camera.tell({ is: "call" }), []);
});

test("a camera that says it has no picture is given half a minute before it is called again", () => {
  const camera = new Camera().live();
  camera.frames(GOOD_CALL_MS);
  camera.tell({ is: "camera-lost" });
  assert.equal(camera.word(), "camera-lost");
  assert.deepEqual(camera.silence(CAMERA_LOST_MS - 1_000), []);
  assert.deepEqual(camera.silence(1_000), [{ do: "drop", tag: "call-1", bye: "silent" }, { do: "call", tag: "call-2" }]);
  assert.equal(camera.word(), "again", "whether it is still so will be said behind the answer");
});

test("pictures that come while the camera is lost are what stands in for its own, until it says that it is back", () => {
  const camera = new Camera().live();
  camera.frames(GOOD_CALL_MS);
  camera.tell({ is: "camera-lost" });
  camera.frames(10_000);
  assert.equal(camera.word(), "camera-lost");
  assert.deepEqual(camera.tell({ is: "camera-back" }), []);
  assert.equal(camera.word(), "live");
});

test("privacy comes before a lost camera, and neither ends the call", () => {
  const camera = new Camera().live();
  for (const [is, word] of [
    ["camera-lost", "camera-lost"], ["privacy-on", "privacy"], ["privacy-off", "camera-lost"], ["camera-back", "live"],
  ] as const) {
    assert.deepEqual(camera.tell({ is }), []);
    camera.frames(5_000);
    assert.equal(camera.word(), word);
  }
});

test("what the camera said of itself outlives the relay, until it says otherwise or is called anew", () => {
  const all = (camera: Camera) => `${camera.word()} ${camera.life.told.mute}`;
  for (const [is, over] of [["camera-lost", "camera-back"], ["privacy-on", "privacy-off"], ["sound-lost", "sound-back"]] as const) {
    const camera = new Camera().live();
    camera.tell({ is });
    const so = all(camera);
    assert.notEqual(so, "live false");
    for (const fact of [{ is: "relay-down" }, { is: "turned-away", why: "no-pass" }] as Fact[]) {
      camera.tell(fact);
      camera.frames(60_000);
      camera.tell({ is: "time" });
      assert.equal(all(camera), so, fact.is);
    }
    camera.tell({ is: over });
    assert.equal(all(camera), "live false");
    camera.tell({ is });
    camera.tell({ is: "present", anew: false });
    camera.tell({ is: "path", tag: "call-1", state: "failed" });
    camera.after(1_000);
    camera.tell({ is: "answered", tag: "call-2" });
    camera.tell({ is: "picture", tag: "call-2" });
    assert.equal(all(camera), "live false", "in another call it says so anew");
  }
});

test("a camera that is there again repeats what is still so, and what it does not repeat is over", () => {
  for (const repeats of [true, false]) {
    const camera = new Camera().live();
    camera.tell({ is: "camera-lost" });
    camera.tell({ is: "sound-lost" });
    camera.tell({ is: "relay-down" });
    camera.tell({ is: "present", anew: true });
    camera.frames(RECALL_MS - 1_000);
    camera.tell({ is: "time" });
    assert.deepEqual([camera.word(), camera.life.told.mute], ["camera-lost", true], "no gap");
    if (repeats) camera.tell({ is: "camera-lost" });
    camera.frames(1_000);
    camera.tell({ is: "time" });
    assert.deepEqual([camera.word(), camera.life.told.mute], [repeats ? "camera-lost" : "live", false]);
  }
});

test("a camera without a picture that came into the room anew is doubted as soon as any other", () => {
  const camera = new Camera().live();
  camera.tell({ is: "camera-lost" });
  camera.frames(GOOD_CALL_MS);
  camera.tell({ is: "relay-down" });
  camera.tell({ is: "present", anew: true });
  assert.deepEqual(camera.silence(DOUBT_MS), [{ do: "drop", tag: "call-1", bye: "silent" }, { do: "call", tag: "call-2" }]);
});

test("a call that is made while the camera is lost is live with what stands in, and says so", () => {
  const camera = new Camera().calling();
  camera.tell({ is: "camera-lost" });
  camera.tell({ is: "answered", tag: "call-1" });
  camera.tell({ is: "picture", tag: "call-1" });
  assert.equal(camera.word(), "camera-lost");
  camera.tell({ is: "camera-back" });
  assert.equal(camera.word(), "live");
});

test("a camera that ended its calls for want of a picture is called when it says that it is back", () => {
  const camera = new Camera().live();
  camera.tell({ is: "camera-lost" });
  camera.tell({ is: "over", tag: "call-1", reason: "camera-lost" });
  assert.equal(camera.word(), "camera-lost");
  assert.deepEqual(camera.tell({ is: "camera-back" }), [{ do: "call", tag: "call-2" }]);
});

test("a camera that refuses calls for want of a picture is not said to be called, until it says that it is back", () => {
  const camera = new Camera().calling();
  camera.tell({ is: "over", tag: "call-1", reason: "camera-lost" });
  assert.equal(camera.word(), "camera-lost");
  assert.deepEqual(camera.after(5_000), [{ do: "call", tag: "call-2" }]);
  assert.equal(camera.word(), "camera-lost");
  assert.deepEqual(camera.tell({ is: "camera-back" }), []);
  assert.equal(camera.word(), "calling");
});

test("a person wants it otherwise: one call gives way to another at once, or a refused one is made anew, and whoever hung up is left alone", () => {
  for (const camera of [new Camera().calling(), new Camera().live()]) {
    assert.deepEqual(camera.tell({ is: "otherwise" }), [{ do: "drop", tag: "call-1", bye: "hang-up" }, { do: "call", tag: "call-2" }]);
    assert.notEqual(camera.word(), "ended");
  }
  const refused = new Camera().calling();
  refused.tell({ is: "over", tag: "call-1", reason: "no-codec" });
  assert.deepEqual(refused.tell({ is: "otherwise" }), [{ do: "call", tag: "call-2" }]);
  const over = new Camera().live();
  over.tell({ is: "hang-up" });
  assert.deepEqual(over.tell({ is: "otherwise" }), []);
  assert.equal(over.word(), "ended");
});

test("without the relay, or while the camera is not in its room, a call that goes on is kept, and the other one is made when it can be", () => {
  for (const away of [{ is: "relay-down" }, { is: "gone" }, { is: "turned-away", why: "busy" }] as Fact[]) {
    const camera = new Camera().live();
    camera.tell(away);
    assert.deepEqual(camera.tell({ is: "otherwise" }), []);
    assert.deepEqual(camera.tell({ is: "otherwise" }), []);
    assert.equal(camera.word(), "live");
    assert.deepEqual(camera.tell({ is: "present", anew: false }), [{ do: "drop", tag: "call-1", bye: "hang-up" }, { do: "call", tag: "call-2" }]);
    assert.deepEqual(camera.tell({ is: "present", anew: false }), [], "once");
  }
  const over = new Camera().live();
  over.tell({ is: "relay-down" });
  over.tell({ is: "otherwise" });
  over.tell({ is: "hang-up" });
  assert.deepEqual(over.tell({ is: "present", anew: false }), []);
  assert.equal(over.word(), "ended");
});

test("what is said about a past call changes nothing", () => {
  const camera = new Camera().live();
  camera.frames(GOOD_CALL_MS);
  camera.tell({ is: "path", tag: "call-1", state: "failed" });
  const before = camera.life.view();
  for (const fact of [
    { is: "answered", tag: "call-1" }, { is: "picture", tag: "call-1" }, { is: "path", tag: "call-1", state: "failed" },
    { is: "frames", tag: "call-1", total: 9_999 }, { is: "broken", tag: "call-1" },
    { is: "over", tag: "call-1", reason: "replaced" }, { is: "doubted", tag: "call-1", why: "changed" },
  ] as Fact[]) {
    assert.deepEqual(camera.tell(fact), []);
    assert.deepEqual(camera.life.view(), before);
  }
  assert.equal(camera.life.call(), "call-2");
});

test("a refusal whose tag a relay has stripped is about the call there is", () => {
  const camera = new Camera().calling();
  assert.deepEqual(camera.tell({ is: "over", tag: null, reason: "not-allowed" }), [{ do: "drop", tag: "call-1", bye: null }]);
  assert.equal(camera.word(), "refused");
  assert.deepEqual(camera.tell({ is: "over", tag: null, reason: "busy" }), []);
  assert.equal(camera.word(), "refused");
});

test("a browser that cannot make its offer tries again, later and later", () => {
  const camera = new Camera().calling();
  assert.deepEqual(camera.tell({ is: "broken", tag: "call-1" }), [{ do: "drop", tag: "call-1", bye: null }]);
  assert.deepEqual(camera.after(500), [{ do: "call", tag: "call-2" }]);
});

/** A life with a clock, a counter for tags and a counter for frames. */
class Camera {
  now = 0;
  total = 0;
  private tags = 0;
  readonly life: Life;

  constructor(chance = 0.5) {
    this.life = new Life(() => `call-${++this.tags}`, () => chance);
  }

  calling(): this {
    this.tell({ is: "present", anew: false });
    return this;
  }

  live(): this {
    this.calling();
    this.tell({ is: "answered", tag: "call-1" });
    this.tell({ is: "picture", tag: "call-1" });
    return this;
  }

  tell(fact: Fact): Deed[] {
    this.life.handle(fact, this.now);
    return this.life.deeds();
  }

  /** Time passes, and the life is woken when it asked to be. */
  after(ms: number): Deed[] {
    const end = this.now + ms;
    const deeds: Deed[] = [];
    for (let due = this.life.deadline(); due !== null && due <= end && deeds.length === 0; due = this.life.deadline()) {
      this.now = Math.max(this.now, due);
      deeds.push(...this.tell({ is: "time" }));
    }
    this.now = end;
    return deeds;
  }

  /** Frames arrive for so long; the counter is looked at every second. */
  frames(ms: number): Deed[] {
    return this.looks(ms, 30);
  }

  /** Nothing arrives for so long. */
  silence(ms: number): Deed[] {
    return this.looks(ms, 0);
  }

  word(): string {
    return this.life.view().word;
  }

  private looks(ms: number, frames: number): Deed[] {
    const deeds: Deed[] = [];
    for (let left = ms; left > 0; left -= 1_000) {
      this.now += Math.min(left, 1_000);
      this.total += frames;
      const tag = this.life.call();
      if (tag !== null) deeds.push(...this.tell({ is: "frames", tag, total: this.total }));
    }
    return deeds;
  }
}
