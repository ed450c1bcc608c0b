// Fails when the built page is larger than it may be: everything a browser loads, gzipped, all together.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT_BYTES = 40_000;
const dist = new URL("./dist/", import.meta.url);

let total = 0;
for (const name of readdirSync(dist).sort()) {
  const bytes = gzipSync(readFileSync(new URL(name, dist)), { level: 9 }).length;
  total += bytes;
  console.log(`${String(bytes).padStart(7)}  ${name}`);
}
console.log(`${String(total).padStart(7)}  in all, gzipped; at most ${LIMIT_BYTES}`);
if (total === 0 || total > LIMIT_BYTES) process.exit(1);
