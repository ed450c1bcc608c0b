// Fails when the built page is larger than it may be: everything a browser loads, gzipped as it is sent, all together.
import { readdirSync, statSync } from "node:fs";

const LIMIT_BYTES = 41_000;
const dist = new URL("./dist/", import.meta.url);

let total = 0;
for (const name of readdirSync(dist).filter((name) => name.endsWith(".gz")).sort()) {
  const bytes = statSync(new URL(name, dist)).size;
  total += bytes;
  console.log(`${String(bytes).padStart(7)}  ${name}`);
}
console.log(`${String(total).padStart(7)}  in all, gzipped; at most ${LIMIT_BYTES}`);
if (total === 0 || total > LIMIT_BYTES) process.exit(1);
