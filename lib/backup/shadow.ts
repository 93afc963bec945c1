import { readlink, rm, symlink } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { BackupWork } from './capture';
import { DominoVssError, ShadowError, toPublicError } from '../errors/errors';
import { exposureOption, nativeExposure } from '../vss/exposure';
import { absolutePath, checkOptions, type Check } from '../call/options';
import { FileCalls, untiring } from '../store/stall';
import { requireVss } from '../vss/call';
import { explainExposure, type ShadowShare } from '../vss/place';
import { Call } from '../call/call';

/** What the snapshot set and the shadows need to know about their backup. */
export interface BackupUse {
  /** Throws if the backup has ended or is about to end: its shadow may be gone. */
  requireOpen(): void;
  /**
   * Runs the body of a public function. The end of the backup waits for it. `ending` fires if the backup is rolled back and the
   * result is no longer wanted.
   */
  call<T>(body: (ending: AbortSignal) => Promise<T>): Promise<T>;
}

/** The shadow copy of one volume. */
export class Shadow {
  /** Id of the shadow; with VSS a GUID in braces, in lower case. */
  readonly id: string;
  /** Top directory of the original volume or subvolume. */
  readonly volume: string;
  /** The operating system's name of the shadow. With VSS a device without a trailing backslash, otherwise {@link root}. */
  readonly devicePath: string;
  /**
   * A readable directory with the contents of the volume; with `reflink` and `rolling` the databases only. Empty for a
   * transportable shadow, which can be read only where it is imported. With VSS it ends in a backslash, which most `fs`
   * functions remove: list the root itself with `opendir(root)`, and access its contents as usual, with `join(root, name)`.
   */
  readonly root: string;
  readonly #places: Places;
  readonly #use: BackupUse;
  #exposedAs: string | undefined;
  #lastChange: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(where: { id: string; volume: string; devicePath: string; root: string }, places: Places, use: BackupUse) {
    this.id = where.id;
    this.volume = where.volume;
    this.devicePath = where.devicePath;
    this.root = where.root;
    this.#places = places;
    this.#use = use;
  }

  /** Where the shadow is exposed; undefined if it is not. */
  get exposedAs(): string | undefined {
    return this.#exposedAs;
  }

  /**
   * Exposes the shadow at a fixed place and returns that place. With VSS, `as` is a free drive letter (`B:`), an
   * existing empty directory, or a share, and the shadow must be persistent. Elsewhere the place becomes a symbolic link
   * to {@link root} and must not exist yet. The end of the backup removes it, unless the shadow is kept.
   */
  expose(options: { readonly as: string | ShadowShare }): Promise<string> {
    return this.#use.call(async () => {
      checkOptions(options, { as: this.#places.check });
      this.#places.check(options.as, 'as');
      this.#use.requireOpen();
      return this.#inTurn(async () => {
        if (this.#exposedAs !== undefined) {
          throw new DominoVssError('ERR_STATE', { message: `${this.id} is already exposed as ${this.#exposedAs}` });
        }
        this.#exposedAs = await this.#places.expose(this, options.as);
        return this.#exposedAs;
      });
    });
  }

  /** Undoes {@link expose}; does nothing if the shadow is not exposed. */
  unexpose(): Promise<void> {
    return this.#use.call(() => this.takePlaceAway());
  }

  /** @internal For the end of the backup, which waits for calls in progress. */
  takePlaceAway(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#exposedAs === undefined) return;
      await this.#places.unexpose(this, this.#exposedAs);
      this.#exposedAs = undefined;
    });
  }

  /** Makes changes one after the other, so that each sees the result of the previous one. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#lastChange.catch(() => undefined).then(change);
    this.#lastChange = done;
    return done;
  }
}

/** How the shadows of a provider are exposed and unexposed. */
interface Places {
  readonly check: Check;
  /** Returns the place. */
  expose(shadow: Shadow, as: string | ShadowShare): Promise<string>;
  unexpose(shadow: Shadow, place: string): Promise<void>;
}

export function placesOf(work: BackupWork): Places {
  const journaled = new JournaledPlaces(work);
  return work.provider.vss ? vssPlaces(work, journaled) : linkPlaces(journaled, work.setup.options.databaseBudgetMs);
}

/** Keeps the list of places in the journal; a place is recorded before it is used. */
class JournaledPlaces {
  #places: readonly string[] = [];

  constructor(private readonly work: BackupWork) {}

  async add(place: string, take: () => Promise<string>): Promise<string> {
    await this.#update([...this.#places, place]);
    try {
      const taken = await take();
      // Windows may return the place in a different notation.
      if (taken !== place) await this.#update([...this.#without(place), taken]);
      return taken;
    } catch (error) {
      await this.remove(place);
      throw error;
    }
  }

  async remove(place: string): Promise<void> {
    // The backup has ended and has left the place to its owner.
    if (this.work.journal.isRemoved) return;
    await this.#update(this.#without(place));
  }

  /** Uses the current list: other shadows may get their places at the same time. */
  #without(place: string): readonly string[] {
    return this.#places.filter((other) => other !== place);
  }

  async #update(places: readonly string[]): Promise<void> {
    this.#places = places;
    await this.work.journal.update({ exposures: places });
  }
}

function linkPlaces(journaled: JournaledPlaces, budgetMs: number): Places {
  const calls = new FileCalls({ ...untiring, budgetMs });
  return {
    check: absolutePath,
    expose: (shadow, as) =>
      journaled.add(as as string, async () => {
        // Only Windows uses the type; a junction needs no privilege there.
        const link = as as string;
        await calls.wait('symlink', link, symlink(shadow.root, link, 'junction'));
        return link;
      }),
    async unexpose({ root }, link) {
      // Something else may have been put there in the meantime, which is not ours to remove.
      const target = await calls.wait(
        'readlink',
        link,
        readlink(link).catch(() => undefined),
      );
      // The target of a junction on Windows ends in a backslash.
      if (target !== undefined && resolve(target) === resolve(root)) await calls.wait('unlink', link, rm(link));
      await journaled.remove(link);
    },
  };
}

/** Limit for a call that must not be waited for indefinitely. */
const exposureTimeoutMs = 60_000;

function vssPlaces({ binding, provider }: BackupWork, journaled: JournaledPlaces): Places {
  const vss = requireVss(binding);
  return {
    check: exposureOption,
    async expose({ id }, as) {
      if (!provider.vss?.persistent) {
        const message = `${id} is volatile, and only a persistent shadow can be exposed`;
        const hint =
          "Begin the backup with lifetime: 'persistent'; endBackup({ keep: false }) then still deletes the shadow.";
        throw new ShadowError(
          'ERR_UNSUPPORTED',
          { provider: 'vss', shadows: [id] },
          { message, hint, phase: 'shadow' },
        );
      }
      const exposure = nativeExposure(as);
      return journaled.add(exposure.as, async () => {
        try {
          return await new Call({ timeoutMs: exposureTimeoutMs, phase: 'shadow' }).race(
            vss.exposeShadow({ id, ...exposure }),
          );
        } catch (error) {
          const call = new Call({ timeoutMs: 30_000, phase: 'shadow' });
          throw await explainExposure(error, { id, as }, { binding, vss, call });
        }
      });
    },
    async unexpose({ id }, place) {
      try {
        await new Call({ timeoutMs: exposureTimeoutMs, phase: 'shadow' }).race(vss.unexposeShadow({ id }));
      } catch (error) {
        if (toPublicError(error).code !== 'ERR_VSS_NOT_FOUND') throw error;
      }
      await journaled.remove(place);
    },
  };
}
