// Whose work a package has in it: scripts/third-party.mjs, with what cargo says of this workspace.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "third-party-"));
after(() => rmSync(folder, { recursive: true }));

const asked = ["metadata", "--locked", "--format-version", "1", "--filter-platform", "x86_64-unknown-linux-gnu"];
const metadata = JSON.parse(execFileSync(join(root, "scripts/cargo"), asked, { cwd: root, maxBuffer: 1 << 28 }));

function printed(about) {
  const file = join(folder, "metadata.json");
  writeFileSync(file, JSON.stringify(about));
  const script = join(root, "scripts/third-party.mjs");
  return spawnSync(process.execPath, [script, "--metadata", file], { encoding: "utf8", maxBuffer: 1 << 28 });
}

test("what is linked in and what the page bundles is named with its licence and the text", () => {
  const { status, stdout, stderr } = printed(metadata);
  assert.equal(status, 0, stderr);
  const of = (name) => new RegExp(`^${name} [0-9.]+ \\((.*)\\)\\n  (.*); (.*)$`, "m").exec(stdout)?.slice(1);
  assert.deepEqual(of("socket.io-client").slice(0, 2), ["npm package", "MIT"]);
  assert.deepEqual(of("serde_json").slice(0, 2), ["crate", "MIT OR Apache-2.0"]);
  assert.deepEqual(of("socketioxide"), ["crate", "MIT", "without a text of its own"]);
  const [, , text] = of("tokio");
  assert.match(stdout, new RegExp(`^T${text.slice(1)}\\n=+\\n\\n(.*\\n)*.*Tokio Contributors`, "m"));
  // What compiles it, tests it or is left out of the page is not shipped.
  for (const name of ["serde_derive", "cc", "porthole-core", "porthole-peer", "esbuild", "express"]) {
    assert.equal(of(name), undefined, name);
  }
});

test("a crate whose licence cannot be told is an error that names it", () => {
  const packages = metadata.packages.map((one) => one.name === "socketioxide" ? { ...one, license: null } : one);
  const { status, stdout, stderr } = printed({ ...metadata, packages });
  assert.equal(status, 65);
  assert.equal(stdout, "");
  assert.match(stderr, /^third-party: no licence can be told of socketioxide 0\.[0-9.]+$/m);
});
