// The camera sent to a server of a crowd (WHIP), which is one on a foreign WebRTC library: it gets picture and sound without
// anybody watching, again after it was away, and is told when the camera goes.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { after, before, describe, test } from "node:test";
import { start } from "./porthole.mjs";
import { health, until } from "./waiting.mjs";

const PYTHON = "/usr/bin/python3";
const RECEIVER = fileURLToPath(new URL("./fixtures/receiver.py", import.meta.url));
const VIDEO = ['source = "test"', "width = 320", "height = 180", "framerate = 15", "bitrate = 300"].join("\n");
/** aiortc decodes sound in packets of this length and no other. */
const AUDIO = ['source = "test"', "packet = 20"].join("\n");
const TOKEN = "a-token-for-the-crowd";

describe("a camera shown to a crowd", { skip: existsSync(PYTHON) ? false : `${PYTHON} is not there`, timeout: 240_000 }, () => {
  const said = [];
  let receiver;
  let porthole;
  const heard = (fits, what) => until(() => said, (all) => all.some(fits), () => `${what}; the daemon said:\n${porthole?.output}`);

  before(async () => {
    receiver = spawn(PYTHON, [RECEIVER, TOKEN], { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: receiver.stdout }).on("line", (line) => said.push(JSON.parse(line)));
    await heard(({ listens }) => listens, "a server that listens");
    const [{ listens }] = said;
    porthole = await start({
      access: "local", video: VIDEO, audio: AUDIO,
      more: `[publish]\nwhip = "http://127.0.0.1:${listens}/whip/yard"\ntoken = "${TOKEN}"`,
    });
  });
  after(async () => {
    await porthole?.kill();
    receiver?.kill();
  });

  test("is sent there at once, wherever it is sent on to, and nobody has to watch", async () => {
    await heard(({ frames }) => frames, "picture and sound at the server");
    const asked = said.filter(({ asked }) => asked).map(({ asked, path, status }) => [asked, path, status]);
    assert.deepEqual(asked, [["POST", "/whip/yard", 307], ["POST", "/whip/moved", 201]]);
    const { live } = await health(porthole, (now) => now.live === 1, "a live call");
    assert.equal(live, 1);
    assert.match(porthole.output, /published: the server of \[publish\] has the camera/);
  });

  test("is sent again when that server was away, which is said once", async () => {
    receiver.stdin.write("refuse\n");
    await heard(({ taking }) => taking === false, "a server that refuses");
    const refused = () => said.filter(({ status }) => status === 503).length;
    await until(refused, (times) => times >= 2, "it is asked again");
    assert.equal(porthole.output.match(/does not have the camera/g).length, 2, "why it ended, and why it is not taken");
    said.length = 0;
    receiver.stdin.write("take\n");
    await heard(({ frames }) => frames, "picture and sound again");
  });

  test("tells that server when it goes, and nobody the token", async () => {
    const { place } = said.find(({ frames }) => frames);
    await porthole.stop();
    await heard(({ asked, path, status }) => asked === "DELETE" && path === place && status === 200, "a good-bye");
    assert.ok(!porthole.output.includes(TOKEN));
  });
});
