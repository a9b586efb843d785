// What the browser keeps for the next visit. Where it keeps nothing, the page works all the same.

/** What was kept under this name, or `usual`. */
export function recall(name, usual) {
  try {
    return localStorage.getItem(name) ?? usual;
  } catch {
    return usual; // the visitor does not allow it
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    /* then it is for this visit only */
  }
}
