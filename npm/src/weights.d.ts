/** Digits, 28 × 28: what `load` takes if it is given nothing. */
export const mnist: URL;
/** What reads digits. */
export const classifier: URL;
/** Faces in color, as photographs have them. */
export const faces: URL;
/** Faces in color, drawn. */
export const drawn: URL;
