// Bundles the page into dist/ (index.html, app.js, app.css, tick.js, icon.svg, and each of them gzipped once and for all), or
// with --tests the unit tests into .build/tests/. Knows file names only.
import zopfli from "@gfx/zopfli";
import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
/** The oldest browsers the page is built for. */
const BROWSERS = ["chrome91", "firefox90", "safari15"];

/** Socket.IO's client over HTTP/3, which the page does not use, is left out of it: every byte is loaded by a phone outside. */
const withoutWebTransport = {
  name: "without-webtransport",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/webtransport\.js$/ }, () => ({ path: "webtransport", namespace: "nothing" }));
    onLoad({ filter: /.*/, namespace: "nothing" }, () => ({ contents: "export class WT {}" }));
  },
};

async function page() {
  const dist = `${here}dist`;
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  await build({
    entryPoints: [`${here}src/app.ts`, `${here}src/app.css`, `${here}src/tick.ts`],
    outdir: dist,
    bundle: true,
    format: "esm",
    minify: true,
    charset: "utf8",
    // What Socket.IO's client calls by a name with an underscore is its own, but for one word that it says to servers.
    mangleProps: /^_[a-z]/,
    mangleQuoted: true,
    reserveProps: /^_placeholder$/,
    target: BROWSERS,
    plugins: [withoutWebTransport],
    legalComments: "none",
    logLevel: "warning",
  });
  for (const file of ["index.html", "icon.svg"]) {
    await copyFile(`${here}src/${file}`, `${dist}/${file}`);
  }
  // As small as gzip gets, because a phone outside waits for it: the board has no time for that while somebody waits.
  for (const file of await readdir(dist)) {
    await writeFile(`${dist}/${file}.gz`, await zopfli.gzipAsync(await readFile(`${dist}/${file}`), { numiterations: 15 }));
  }
}

async function tests() {
  const out = `${here}.build/tests`;
  await rm(out, { recursive: true, force: true });
  const names = (await readdir(`${here}tests`)).filter((name) => name.endsWith(".test.ts"));
  await build({
    entryPoints: names.map((name) => `${here}tests/${name}`),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node18",
    packages: "external",
    sourcemap: "inline",
    logLevel: "warning",
  });
}

await (process.argv.includes("--tests") ? tests() : page());
