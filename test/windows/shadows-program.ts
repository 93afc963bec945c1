// Another process, which lists and deletes shadows for as long as the test sends lines: "list", or the id of a snapshot
// set to delete. It answers each line with the list of shadows.

import { deleteShadows, listShadows, type ListedShadow } from '#lib/index';
import { answer, requests } from './lines';

/** A shadow as JSON. */
export type SeenShadow = Omit<ListedShadow, 'created'> & { readonly created: string };

async function main(): Promise<void> {
  for await (const line of requests()) {
    if (line !== 'list') await deleteShadows({ by: 'set', setId: line, foreign: 'delete' });
    answer(await listShadows());
  }
}

void main();
