// The script of a worker in a page, and of all runtimes that have such workers.
import { serve } from "./serve.js";

serve({
  send: (message, buffers) => postMessage(message, buffers),
  receive: (take) => addEventListener("message", ({ data }) => take(data)),
});
