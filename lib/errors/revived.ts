import { isErrorCode } from './codes';
import { DominoVssError, errorClasses } from './errors';

/**
 * An error from another process, as an instance of its class. The class constructors take what an error is made from; here the
 * finished `fields` are set directly.
 */
export function revivedError(name: string, message: string, fields: Readonly<Record<string, unknown>>): Error {
  const { code } = fields;
  const known = Object.entries(errorClasses).find(([className]) => className === name)?.[1];
  const error =
    known && typeof code === 'string' && isErrorCode(code)
      ? (Object.setPrototypeOf(new DominoVssError(code, { message }), known.prototype) as DominoVssError)
      : new Error(message);
  // An assignment to it would take the class from the error.
  const own = Object.entries(fields).filter(([field]) => field !== '__proto__');
  return Object.assign(error, Object.fromEntries(own));
}
