// The script of a worker in Node.
import { parentPort } from "node:worker_threads";
import { serve } from "./serve.js";

serve({
  send: (message, buffers) => parentPort.postMessage(message, buffers),
  receive: (take) => parentPort.on("message", take),
});
