// A worker that says every second that a second has passed: the timers of a page in the background are slowed down to one
// in a minute, those of its workers are not. Must not know what for.

setInterval(() => postMessage(0), 1_000);
