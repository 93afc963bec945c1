// Taking a backup, from NSFBackupStart to NSFBackupEnd.

#include "api.h"
#include "backup.h"

using namespace domino_sim;

namespace {

constexpr std::uint32_t kEndAbort = 1;

/** The caller's context for this database handle. Throws StatusError(kNotDoingBackup). */
std::shared_ptr<BackupContext> requireContext(Environment& environment, Handle handle, const OpenDatabase& open,
                                              Handle contextHandle) {
    Runtime& runtime = Runtime::get();
    auto context = runtime.backups.find(contextHandle);
    const bool isOfDatabase = context != nullptr && &context->database->slot() == &open.database->slot();
    const bool isOtherHandle = isOfDatabase && context->handle != handle &&
                               !environment.settings.is("SIM_CONTEXT_OTHER_HANDLE"_setting, "allow");
    const bool isOtherThread = isOfDatabase && context->thread != runtime.currentThread() &&
                               !environment.settings.is("SIM_CONTEXT_OTHER_THREAD"_setting, "allow");
    if (!isOfDatabase || isOtherHandle || isOtherThread) {
        throw StatusError(kNotDoingBackup);
    }
    return context;
}

void openReader(Environment& environment, BackupContext& context) {
    if (context.reader == nullptr) {
        Slot& slot = context.database->slot();
        const platform::RobustLock lock(slot.state);
        context.reader = std::make_unique<ChangeStreamReader>(*environment.partition, slot,
                                                              context.database->readHeaderLocked().databaseId);
    }
}

/** Returns false if, by the settings, change information before NSFBackupStop is empty instead of refused. */
bool requireStopped(Environment& environment, BackupContext& context) {
    const bool isLenient = environment.settings.is("SIM_CHANGES_BEFORE_STOP"_setting, "empty");
    requireBackup(*context.database, context.id, !isLenient);
    return context.database->slot().backup.state == BackupState::stopped;
}

}  // namespace

NOTES_API std::uint64_t NSFBackupStart(Handle hDb, std::uint32_t flags, Handle* backupContext, std::uint32_t* sizeLow,
                                       std::uint32_t* sizeHigh) {
    return call("NSFBackupStart"_function, {hDb}, [&](Environment&) -> Status {
        requireZero(flags);
        const auto open = requireLocalDatabase(hDb);
        const BackupStart start = startBackup(*open->database);
        auto context = std::make_shared<BackupContext>();
        context->thread = Runtime::get().currentThread();
        context->handle = hDb;
        context->database = open->database;
        context->id = start.id;
        store(sizeLow, start.startBytes & 0xffff'ffff);
        store(sizeHigh, start.startBytes >> 32);
        *backupContext = Runtime::get().backups.add(std::move(context));
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFBackupStop(Handle hDb, Handle backupContext) {
    return call("NSFBackupStop"_function, {hDb}, [&](Environment& environment) -> Status {
        const auto open = requireLocalDatabase(hDb);
        const auto context = requireContext(environment, hDb, *open, backupContext);
        stopBackup(*context->database, context->id);
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFBackupSetHighWaterMark(Handle hDb, Handle backupContext, std::uint32_t low,
                                                  std::uint32_t high) {
    return call("NSFBackupSetHighWaterMark"_function, {hDb}, [&](Environment& environment) -> Status {
        const auto open = requireLocalDatabase(hDb);
        const auto context = requireContext(environment, hDb, *open, backupContext);
        setHighWaterMark(*context->database, context->id, (static_cast<std::uint64_t>(high) << 32) | low);
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFBackupGetChangeInfoSize(Handle hDb, Handle backupContext, std::uint32_t flags,
                                                   std::uint32_t* sizeLow, std::uint32_t* sizeHigh) {
    return call("NSFBackupGetChangeInfoSize"_function, {hDb}, [&](Environment& environment) -> Status {
        requireZero(flags);
        const auto open = requireLocalDatabase(hDb);
        const auto context = requireContext(environment, hDb, *open, backupContext);
        std::uint64_t bytes = 0;
        if (requireStopped(environment, *context)) {
            openReader(environment, *context);
            bytes = context->reader->totalBytes();
        }
        store(sizeLow, bytes & 0xffff'ffff);
        store(sizeHigh, bytes >> 32);
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFBackupGetNextChangeInfo(Handle hDb, Handle backupContext, std::uint32_t flags, char* buffer,
                                                   std::uint32_t bufferBytes, std::uint32_t* filledBytes) {
    return call("NSFBackupGetNextChangeInfo"_function, {hDb}, [&](Environment& environment) -> Status {
        requireZero(flags);
        const auto open = requireLocalDatabase(hDb);
        const auto context = requireContext(environment, hDb, *open, backupContext);
        *filledBytes = 0;
        if (!requireStopped(environment, *context)) {
            return kNoError;
        }
        openReader(environment, *context);
        const bool hasMore = context->reader->position() < context->reader->totalBytes();
        if (hasMore && bufferBytes < environment["SIM_MINIMUM_BUFFER"_setting]) {
            return kOutOfMemory;
        }
        const auto longest = static_cast<std::uint32_t>(environment["SIM_SHORT_PIECES"_setting]);
        const std::uint32_t usable = longest > 0 ? std::min(longest, bufferBytes) : bufferBytes;
        *filledBytes = static_cast<std::uint32_t>(
            context->reader->next(std::as_writable_bytes(std::span(buffer, usable)),
                                  environment.settings.is("SIM_CHUNK_BOUNDARIES"_setting, "records")));
        return kNoError;
    });
}

NOTES_API std::uint64_t NSFBackupEnd(Handle hDb, Handle backupContext, std::uint32_t options) {
    return call("NSFBackupEnd"_function, {hDb}, [&](Environment& environment) -> Status {
        requireZero(options & ~kEndAbort);
        const bool isAbort = (options & kEndAbort) != 0;
        const auto open = requireLocalDatabase(hDb);
        Runtime& runtime = Runtime::get();
        Accounting& accounting = environment.partition->accounting();
        if (isAbort && runtime.backups.find(backupContext) == nullptr) {
            releaseForeignBackup(*open->database);
            accounting.backupsAborted.fetch_add(1);
            return kNoError;
        }
        const auto context = requireContext(environment, hDb, *open, backupContext);
        const std::uint64_t remaining = changeStreamBytes(context->database->slot().backup) -
                                        (context->reader == nullptr ? 0 : context->reader->position());
        runtime.backups.remove(backupContext);
        if (!releaseBackup(*context->database, context->id)) {
            return kNotDoingBackup;  // somebody else released it, or the server was restarted
        }
        (isAbort ? accounting.backupsAborted : accounting.backupsCompleted).fetch_add(1);
        if (!isAbort && remaining != 0) {
            accounting.backupsEndedUndrained.fetch_add(1);
        }
        return kNoError;
    });
}
