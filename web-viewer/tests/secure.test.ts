// The way from http to https: when it is shown, and where it leads.

import assert from "node:assert/strict";
import test from "node:test";
import { isBetterSecure, readSecure, secureLink } from "../src/secure";

const FINGERPRINT = Array(32).fill("A0").join(":");
const AT = { protocol: "http:", pathname: "/", search: "", hash: "#room=nursery&key=k1.c2VjcmV0" };

test("the link leads to the same page with the same room and key", () => {
  const secure = { origin: "https://192.168.1.20:8080", fingerprint: null };
  assert.equal(secureLink(secure, AT), "https://192.168.1.20:8080/#room=nursery&key=k1.c2VjcmV0");
  const deeper = { ...AT, pathname: "/index.html", search: "?x=1", hash: "" };
  assert.equal(secureLink(secure, deeper), "https://192.168.1.20:8080/index.html?x=1");
});

test("it is offered to a page over http that the browser does not trust, and to no other", () => {
  assert.equal(isBetterSecure(AT, false, null), true);
  assert.equal(isBetterSecure(AT, true, null), false, "localhost");
  assert.equal(isBetterSecure({ ...AT, protocol: "https:" }, true, null), false);
  assert.equal(isBetterSecure({ ...AT, protocol: "file:" }, false, null), false);
  assert.equal(isBetterSecure(AT, false, "https://relay.example"), true);
  assert.equal(isBetterSecure(AT, false, "http://relay.example:3000"), false, "which a page over https may not speak with");
});

test("what the server says of https is taken only if it can be meant", () => {
  for (const origin of ["https://192.168.1.20:8080", "https://cam.example", "https://[2001:db8::7]:80", "https://cam.example:443"]) {
    assert.deepEqual(readSecure({ origin, fingerprint: FINGERPRINT }), { origin, fingerprint: FINGERPRINT });
  }
  for (const origin of [null, 7, "", "http://cam.example", "javascript:alert(1)", "https://", "https://cam.example/", "https://cam.example/x",
    "https://me:pw@cam.example", "https://cam.example#x", "https://cam.example?x"]) {
    assert.equal(readSecure({ origin, fingerprint: FINGERPRINT }), null, String(origin));
  }
  for (const said of [null, undefined, "x", 7, [], {}]) assert.equal(readSecure(said), null);
});

test("a certificate that is not the camera's own has no fingerprint to compare", () => {
  const origin = "https://cam.example";
  for (const fingerprint of [null, undefined, 7, "", "A0", FINGERPRINT.toLowerCase(), `${FINGERPRINT}:A0`, `<b>${FINGERPRINT}`]) {
    assert.deepEqual(readSecure({ origin, fingerprint }), { origin, fingerprint: null });
  }
});
