#!/usr/bin/env node
// Prints the licences of what is shipped with Porthole and is not its own: the crates that are linked into the binary, and
// what the page bundles. Must not know any of them; one whose licence it cannot tell is an error.
//
//   scripts/third-party.mjs TARGET            such as aarch64-unknown-linux-gnu, once the page is built
//   scripts/third-party.mjs --metadata FILE   with what `cargo metadata` printed, in place of asking it
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const LICENCE = /^(licen[cs]e|copying|copyright|notice|unlicense)/i;

const fail = (why) => {
  console.error(`third-party: ${why}`);
  process.exit(65);
};

/** What a folder says of licences, file by file. */
function texts(folder) {
  const files = readdirSync(folder, { withFileTypes: true }).filter((file) => file.isFile() && LICENCE.test(file.name));
  return files.map(({ name }) => readFileSync(join(folder, name), "utf8").replaceAll("\r\n", "\n").trimEnd()).sort();
}

/** What cargo knows of the workspace, as it is for one target. */
function metadata([first, file]) {
  if (first === "--metadata" && file) return JSON.parse(readFileSync(file, "utf8"));
  if (!first || first.startsWith("-")) fail("say for which target, such as x86_64-unknown-linux-gnu");
  const asked = ["metadata", "--locked", "--format-version", "1", "--filter-platform", first];
  return JSON.parse(execFileSync(join(root, "scripts/cargo"), asked, { cwd: root, maxBuffer: 1 << 28, encoding: "utf8" }));
}

/** Every crate that the binary is linked with: what compiles it, or runs while it is compiled, is not in it. */
function crates({ packages, resolve }) {
  const about = new Map(packages.map((one) => [one.id, one]));
  const needs = new Map(resolve.nodes.map((node) => [node.id, node.deps]));
  const found = new Set();
  const open = packages.filter(({ name, source }) => name === "porthole" && !source).map(({ id }) => id);
  while (open.length > 0) {
    const id = open.pop();
    if (found.has(id) || about.get(id).targets.some(({ kind }) => kind.includes("proc-macro"))) continue;
    found.add(id);
    open.push(...needs.get(id).filter(({ dep_kinds }) => dep_kinds.some(({ kind }) => kind === null)).map(({ pkg }) => pkg));
  }
  return [...found].map((id) => about.get(id)).filter(({ source }) => source).map((one) => {
    const folder = dirname(one.manifest_path);
    const said = texts(folder);
    if (one.license_file && !LICENCE.test(one.license_file)) {
      said.push(readFileSync(join(folder, one.license_file), "utf8").trimEnd());
    }
    return { kind: "crate", name: one.name, version: one.version, licence: one.license, from: one.repository, said };
  });
}

/** Every package of which there is something in the page. */
function bundled() {
  const list = join(root, "web-viewer/.build/bundled.json");
  if (!existsSync(list)) fail("build the page first: npm --prefix web-viewer run build");
  return JSON.parse(readFileSync(list, "utf8")).map((name) => {
    const folder = join(root, "web-viewer/node_modules", name);
    const { version, license, repository } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const from = (repository?.url ?? repository)?.replace(/^git\+/, "");
    return { kind: "npm package", name, version, licence: license, from, said: texts(folder) };
  });
}

const rust = { kind: "crate", name: "std", version: "of the compiler", licence: "MIT OR Apache-2.0" };
const all = [...crates(metadata(process.argv.slice(2))), ...bundled()];
all.push({ ...rust, from: "https://github.com/rust-lang/rust", said: [] });
all.sort((a, b) => (`${a.kind} ${a.name} ${a.version}` < `${b.kind} ${b.name} ${b.version}` ? -1 : 1));

const untold = all.filter(({ licence, said }) => !licence && said.length === 0);
if (untold.length > 0) fail(`no licence can be told of ${untold.map(({ name, version }) => `${name} ${version}`).join(", ")}`);

// Many have the same text, so each is printed once.
const numbers = new Map();
const number = (text) => numbers.get(text) ?? (numbers.set(text, numbers.size + 1), numbers.size);
const rows = all.map(({ kind, name, version, licence, from, said }) => {
  const where = said.length > 0 ? `text ${said.map(number).join(", ")}` : "without a text of its own";
  return `${name} ${version} (${kind})\n  ${licence ?? "see the text"}; ${where}\n  ${from ?? "no repository is named"}`;
});
const printed = [...numbers].map(([text, at]) => `${"=".repeat(72)}\nText ${at}\n${"=".repeat(72)}\n\n${text}\n`);
process.stdout.write(
  `What is shipped with Porthole and was written by others: ${all.length} pieces, then the texts of their licences.\n\n` +
    `${rows.join("\n")}\n\n${printed.join("\n")}`,
);
