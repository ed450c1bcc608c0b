// Bundles the page into dist/ (index.html, app.js, app.css, tick.js, icon.svg, and each of them gzipped once and for all), or
// with --tests the unit tests into .build/tests/. Knows file names only.
import zopfli from "@gfx/zopfli";
import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { minify } from "terser";
import { lean } from "./lean.mjs";
import { shortened } from "./privates.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
/** The oldest browsers the page is built for. */
const BROWSERS = ["chrome91", "firefox90", "safari15"];
const { version } = JSON.parse(await readFile(`${here}package.json`, "utf8"));
/** What the page knows of how it was built. */
const define = { VERSION: JSON.stringify(version) };

const withShortNames = {
  name: "with-short-names",
  setup({ onLoad }) {
    const texts = shortened(`${here}src/`);
    onLoad({ filter: /\.ts$/ }, ({ path }) => (texts.has(path) ? { contents: texts.get(path), loader: "ts" } : null));
  },
};

async function page() {
  const dist = `${here}dist`;
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  const { metafile } = await build({
    entryPoints: [`${here}src/app.ts`, `${here}src/app.css`, `${here}src/tick.ts`],
    outdir: dist,
    bundle: true,
    format: "esm",
    minify: true,
    charset: "utf8",
    // What Socket.IO's client calls by a name with an underscore is its own, and so is what `privates.mjs` does.
    mangleProps: /^_[a-z]/,
    mangleQuoted: true,
    target: BROWSERS,
    define,
    plugins: [lean, withShortNames],
    // A package ships the licences of what is in it: scripts/third-party.mjs.
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  await mkdir(`${here}.build`, { recursive: true });
  await writeFile(`${here}.build/bundled.json`, JSON.stringify(bundled(metafile)));
  // A fortieth smaller than what esbuild leaves.
  const { code } = await minify(await readFile(`${dist}/app.js`, "utf8"), { module: true, compress: { passes: 2 } });
  await writeFile(`${dist}/app.js`, code);
  for (const file of ["index.html", "icon.svg"]) {
    await copyFile(`${here}src/${file}`, `${dist}/${file}`);
  }
  // As small as gzip gets, because a phone outside waits for it: the board has no time for that while somebody waits.
  for (const file of await readdir(dist)) {
    await writeFile(`${dist}/${file}.gz`, await zopfli.gzipAsync(await readFile(`${dist}/${file}`), { numiterations: 15 }));
  }
}

/** The packages of others of which something is in the page. */
function bundled({ outputs }) {
  const files = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs));
  const names = files.filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(path)?.[1]);
  return [...new Set(names)].filter(Boolean).sort();
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
    define,
    packages: "external",
    sourcemap: "inline",
    logLevel: "warning",
  });
}

await (process.argv.includes("--tests") ? tests() : page());
