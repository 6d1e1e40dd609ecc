/** Calls a callback of the user's. One that throws must not tear down the session: its error goes where such errors go. */
export function callBack<Args extends readonly unknown[]>(callback: (...args: Args) => void, ...args: Args): void {
  try {
    callback(...args);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
