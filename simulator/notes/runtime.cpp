#include "runtime.h"

#include <cstdio>
#include <cstdlib>

#include "backup.h"

namespace domino_sim {

namespace {

/** Of the calling thread, in one number: the system keeps no more for it. */
struct ThreadState {
    std::uint64_t serial = 0;
    std::uint32_t depth = 0;  // fewer than 2^16

    static ThreadState current() {
        const std::uint64_t number = platform::numberOfThread();
        return {number >> 16, static_cast<std::uint32_t>(number & 0xFFFF)};
    }
    void keep() const { platform::setNumberOfThread(serial << 16 | depth); }
};

/** A library may hang while it is loaded, before any function is called. */
[[gnu::constructor]] void hangWhileLoading() {
    while (std::getenv("SIM_LOAD_HANGS") != nullptr) {
        platform::sleepExactlyNs(1'000'000'000);
    }
}

}  // namespace

void panic(const char* why) {
    std::fprintf(stderr, "PANIC: %s\n", why);
    std::abort();
}

Runtime& Runtime::get() {
    // Never destroyed, so that a process that ends without NotesTerm is noticed.
    static Runtime& runtime = *std::make_unique<Runtime>().release();
    return runtime;
}

std::uint64_t Runtime::currentThread() const {
    return ThreadState::current().serial;
}

void Runtime::initialise(std::span<const std::string> arguments) {
    const std::lock_guard lock(mutex_);
    if (const Environment* environment = environment_) {
        if (environment->settings.is("SIM_NESTED_INIT"_setting, "error")) {
            throw StatusError(kNestedInit);
        }
        ++nested_;
        enterThread();
        return;
    }
    auto environment = openEnvironment(arguments, ProcessRole::api);
    if (environment->isOn("SIM_COM_SECURITY"_setting)) {
        platform::takeComSecurity();
    }
    if (wasTerminated_ && environment->settings.is("SIM_INIT_AFTER_TERM"_setting, "error")) {
        throw StatusError(kNestedInit);
    }
    environment_.store(environment.get(), std::memory_order_release);
    environments_.push_back(std::move(environment));
    enterThread();
}

void Runtime::terminate() {
    const std::lock_guard lock(mutex_);
    Environment* environment = environment_;
    if (environment == nullptr) {
        return;
    }
    leaveThread();
    if (nested_ > 0) {
        --nested_;
        return;
    }
    if (environment->isOn("SIM_TERM_ENDS_BACKUPS"_setting)) {
        for (const auto& [handle, context] : backups.all()) {
            releaseBackup(*context->database, context->id);
        }
    }
    Accounting& accounting = environment->partition->accounting();
    accounting.threadsLeft.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(threads_, 0)));
    accounting.leakedDatabaseHandles.fetch_add(databases.all().size());
    accounting.leakedBackupContexts.fetch_add(backups.all().size());
    accounting.leakedApplyContexts.fetch_add(applies.all().size());
    accounting.leakedMemoryHandles.fetch_add(memory.all().size());
    environment_.store(nullptr, std::memory_order_release);
    wasTerminated_ = true;
    // Closes whatever was left open, so that the files can be replaced.
    for (const auto& [handle, context] : backups.all()) {
        backups.remove(handle);
    }
    for (const auto& [handle, context] : applies.all()) {
        applies.remove(handle);
    }
    for (const auto& [handle, open] : databases.all()) {
        databases.remove(handle);
    }
    environment->partition->leave();
}

void Runtime::enterThread() {
    ThreadState state = ThreadState::current();
    if (state.depth++ == 0) {
        state.serial = nextThread_.fetch_add(1);
        threads_.fetch_add(1);
    }
    state.keep();
}

void Runtime::leaveThread() {
    ThreadState state = ThreadState::current();
    if (state.depth == 0) {
        return;
    }
    if (--state.depth == 0) {
        state.serial = 0;  // handles created before no longer belong to any thread
        threads_.fetch_sub(1);
    }
    state.keep();
}

std::shared_ptr<OpenDatabase> requireHandle(Handle handle) {
    Runtime& runtime = Runtime::get();
    Environment& environment = *runtime.environment();
    auto open = runtime.databases.find(handle);
    if (open == nullptr) {
        environment.partition->accounting().unknownHandles.fetch_add(1);
        if (environment.settings.is("SIM_BAD_HANDLE"_setting, "abort")) {
            panic("LookupHandle: handle not allocated");
        }
        throw StatusError(kNotInitialised);
    }
    if (open->thread != runtime.currentThread() && !environment.settings.is("SIM_FOREIGN_THREAD"_setting, "allow")) {
        environment.partition->accounting().foreignThreadHandles.fetch_add(1);
        if (environment.settings.is("SIM_FOREIGN_THREAD"_setting, "abort")) {
            panic("LookupHandle: handle of another thread");
        }
        throw StatusError(kNotInitialised);
    }
    return open;
}

void closeHandle(Environment& environment, Handle handle) {
    Runtime& runtime = Runtime::get();
    const auto open = runtime.databases.remove(handle);
    const bool mayHaveBackup = open->database != nullptr && open->database->slot().backup.state != BackupState::none;
    if (!mayHaveBackup) {
        return;
    }
    for (const auto& [contextHandle, context] : runtime.backups.all()) {
        if (context->handle != handle) {
            continue;
        }
        if (environment.isOn("SIM_CLOSE_ENDS_BACKUP"_setting)) {
            releaseBackup(*context->database, context->id);
            runtime.backups.remove(contextHandle);
        } else {
            abandonBackup(*context->database, context->id);
        }
    }
}

std::shared_ptr<OpenDatabase> requireLocalDatabase(Handle handle) {
    auto open = requireHandle(handle);
    if (open->kind == OpenKind::remote) {
        throw StatusError(kNotLocal);
    }
    if (open->kind == OpenKind::directory) {
        throw StatusError(kNotNsf);
    }
    return open;
}

}  // namespace domino_sim
