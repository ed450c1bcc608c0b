// What the page says of talking back. Must not know where it stands.

import type { TalkView } from "./talk";

/** On the button, and beside it: either is empty where there is none. `loud`: news that a screen reader reads out. */
export interface TalkWords {
  button: string;
  said: string;
}

/** What there is to say. */
export function talkWords({ word, latched, takes, talkers }: TalkView): TalkWords {
  const hold = "Hold to talk";
  const also = talkers.length > 0 ? ` ${talk(talkers)}, too.` : "";
  switch (word) {
    case "none": return { button: "", said: "" };
    case "no-speaker": return { button: "", said: "This camera has no speaker to talk through." };
    case "not-allowed": return { button: "", said: talkers.length > 0 ? `${talk(talkers)}.` : "Your key is for watching, not for talking back." };
    case "insecure": return { button: "", said: talkers.length > 0 ? `${talk(talkers)}.` : "To talk back, this page has to come over https." };
    case "ready": return { button: hold, said: "" };
    case "asking": return { button: "Asking for the microphone…", said: "" };
    case "waiting": return { button: "One moment…", said: "" };
    case "talking": return { button: latched ? "Talking. Tap to stop" : "Talking. Let go to stop", said: also.trim() };
    case "busy": return { button: takes ? "Hold to talk instead" : hold, said: `${talk(talkers)}.` };
    case "taken": return { button: hold, said: "You are not heard any more." };
    case "again": return { button: hold, said: "Press again to talk." };
    case "denied": return { button: hold, said: "The browser does not give the microphone to this page. Allow it in the browser’s settings for this page." };
    case "deaf": return { button: hold, said: "There is no microphone here, or another program has it." };
    case "unanswered": return { button: hold, said: "The camera did not answer. Try again in a moment." };
    case "lost": return { button: hold, said: "The camera’s speaker does not work at the moment; its log says why." };
  }
}

/** "Grandma’s phone is talking", "Grandma’s phone and somebody else are talking". */
function talk(talkers: readonly (string | null)[]): string {
  const names = talkers.map((name, at) => name ?? (at === 0 ? "Somebody" : "somebody else"));
  return names.length === 1 ? `${names[0]} is talking` : `${names.slice(0, -1).join(", ")} and ${names.at(-1)} are talking`;
}

export const TALK_HELP = "Hold it, or the space bar, while you talk. A tap keeps the microphone on until the next.";
