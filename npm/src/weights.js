// Where the weights of the package are, to be given to load: import what is used.
export { classifier, mnist } from "./files.js";
export const faces = new URL("./weights/faces.safetensors", import.meta.url);
export const drawn = new URL("./weights/drawn.safetensors", import.meta.url);
