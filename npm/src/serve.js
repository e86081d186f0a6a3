// What a worker does, whichever runtime it is of: it answers questions, in their order.
import { buffers, start } from "./engine.js";

/** Says that it is there, takes the program, and then questions, each with a number. */
export const serve = ({ send, receive }) => {
  let ask; // a promise of what answers
  receive(async (data) => {
    if (data.program) {
      ask = start(data.program, (why) => send({ ended: String(why.message) }));
      ask.then(() => send({ started: true }), (why) => send({ ended: String(why.message) }));
      return;
    }
    const { number, name, question } = data;
    try {
      const answer = (await ask)(name, question);
      send({ number, answer }, buffers(answer));
    } catch (why) {
      send({ ended: String(why.message) });
    }
  });
  send({ there: true });
};
