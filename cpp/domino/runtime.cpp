#include "domino/runtime.h"

#include <array>
#include <condition_variable>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

#include "domino/library.h"
#include "domino/lmbcs.h"
#include "domino/status.h"
#include "system/abandonable_thread.h"
#include "system/current_call.h"
#include "system/path.h"
#include "system/system_error.h"

namespace domino_vss::domino {

namespace {

/// With a password-protected ID, the runtime prompts on a terminal that nobody watches.
constexpr std::chrono::seconds kInitTimeout{60};
constexpr std::chrono::seconds kExitTimeout{5};

/// Lives until the process ends, because the keeper thread uses it until then.
struct Process {
    std::mutex openMutex;  // one open at a time

    std::mutex mutex;
    std::condition_variable changed;
    enum class Stage : std::uint8_t { none, loading, starting, running, terminating, terminated } stage = Stage::none;
    std::size_t members = 0;             // guarded by mutex: threads in the runtime, not counting the keeper
    bool initialised = false;            // keeper thread
    std::optional<Failure> initFailure;  // guarded by mutex
    std::unique_ptr<Library> library;
    std::unique_ptr<RuntimeInfo> info;
};

Process& process() {
    static auto* const instance = new Process;  // never destroyed: see Process
    return *instance;
}

/// The runtime did not start, so none of its functions may be called, not even OSLoadString.
Failure initFailure(STATUS status, const RuntimeOptions& options) {
    const STATUS number = errorCode(status);
    const char* failureCode = code::kDominoInit;
    if (number == error::kNoNotesIni) failureCode = code::kDominoNotesIni;
    if (number == error::kUserRoot) failureCode = code::kDominoUser;
    const std::string_view own = ownText(number);
    Failure failure(failureCode, Phase::runtime, own.empty() ? "the Domino runtime did not start" : std::string(own),
                    options.notesIni);
    failure.domain = Domain::domino;
    failure.operation = "NotesInitExtended";
    failure.status = number;
    failure.statusName = statusName(number);
    return failure;
}

std::string dataDirectory(const Api& api) {
    std::array<char, kPathBufferBytes> buffer{};
    const WORD length = api.OSGetDataDirectory(buffer.data());
    return fromLmbcs(api, {buffer.data(), length});
}

std::string serverName(const Api& api) {
    if (api.SECKFMGetUserName == nullptr) return {};
    std::array<char, 4096> buffer{};
    if (errorCode(api.SECKFMGetUserName(buffer.data())) != 0) return {};
    return fromLmbcs(api, buffer.data());
}

/// Queries the data directory and the server name of a new runtime. If that fails, nobody could use the runtime, so it
/// is terminated.
std::unique_ptr<RuntimeInfo> describeRuntime(const Process& state, const RuntimeOptions& options) {
    const Api& api = state.library->api();
    try {
        return std::make_unique<RuntimeInfo>(
            RuntimeInfo{options, dataDirectory(api), serverName(api), state.library->missingFunctions()});
    } catch (...) {
        Failure failure = failureInFlight(Phase::runtime);
        failure.code = code::kDominoInit;
        api.NotesTerm();
        throw Failure(std::move(failure));
    }
}

/// The keeper thread. It initialises the runtime, so it needs no NotesInitThread, and it terminates the runtime.
void keep(Process& state, const RuntimeOptions& options) {
    const Api& api = state.library->api();
    std::string program = options.programDirectory + kSeparator + "domino-vss";
    std::string ini = "=" + options.notesIni;
    std::array<char*, 3> arguments{program.data(), ini.data(), nullptr};
    const STATUS status = api.NotesInitExtended(2, arguments.data());
    if (errorCode(status) != 0) throw initFailure(status, options);
    state.initialised = true;
    // Queried before taking the lock: these calls may hang, and other threads must still be able to read the stage.
    auto info = describeRuntime(state, options);
    std::unique_lock lock(state.mutex);
    state.info = std::move(info);
    state.stage = Process::Stage::running;
    state.changed.notify_all();
    // The runtime must not end under a call that is still in it; if one does not return, the process ends without
    // NotesTerm.
    state.changed.wait(lock, [&] { return state.stage == Process::Stage::terminating && state.members == 0; });
    lock.unlock();
    api.NotesTerm();
    lock.lock();
    state.stage = Process::Stage::terminated;
    state.changed.notify_all();
}

/// The keeper has failed: the runtime did not start or has ended. Domino cannot be initialised twice.
void noteFailure(Process& state, Failure&& failure) {
    const std::lock_guard lock(state.mutex);
    state.initFailure = std::move(failure);
    state.stage = state.initialised ? Process::Stage::terminated : Process::Stage::none;
    state.changed.notify_all();
}

void terminateAtExit() {
    static_cast<void>(runtime::terminate(kExitTimeout));
}

}  // namespace

namespace runtime {

RuntimeInfo open(const RuntimeOptions& options) {
    Process& state = process();
    const std::lock_guard opening(state.openMutex);
    std::unique_lock lock(state.mutex);
    if (state.stage == Process::Stage::running) {
        const RuntimeOptions& present = state.info->options;
        if (present.programDirectory == options.programDirectory && present.notesIni == options.notesIni)
            return *state.info;
        throw Failure(
            code::kDominoRuntimeBusy, Phase::runtime,
            "this process already holds the Domino runtime of " + present.notesIni + "; a process can hold only one",
            options.notesIni);
    }
    if (state.stage != Process::Stage::none)
        throw Failure(code::kDominoRuntimeBusy, Phase::runtime,
                      "the Domino runtime of this process is starting or ended", options.notesIni);
    state.stage = Process::Stage::loading;
    lock.unlock();
    try {
        // Constructors of the library run in here and may hang.
        state.library = Library::load(options.programDirectory, options.trustProgramDirectory);
    } catch (...) {
        lock.lock();
        state.stage = Process::Stage::none;
        throw;
    }
    callAtExit(terminateAtExit);
    CurrentCall::note("NotesInitExtended");
    lock.lock();
    state.initFailure.reset();
    // Abandoned: this thread keeps the runtime until the process ends.
    AbandonableThread([&state, options] { keep(state, options); },
                      [&state](Failure&& failure) { noteFailure(state, std::move(failure)); })
        .abandon();
    state.stage = Process::Stage::starting;
    const auto settled = [&] { return state.stage != Process::Stage::starting; };
    if (!state.changed.wait_for(lock, kInitTimeout, settled))
        throw Failure(code::kDominoInit, Phase::runtime,
                      "NotesInitExtended has not returned for 60 s; does the server ID ask for a password?",
                      options.notesIni);
    if (state.initFailure) throw *state.initFailure;
    return *state.info;
}

const RuntimeInfo* current() noexcept {
    Process& state = process();
    const std::lock_guard lock(state.mutex);
    return state.stage == Process::Stage::running ? state.info.get() : nullptr;
}

const Api& api() {
    Process& state = process();
    const std::lock_guard lock(state.mutex);
    if (state.stage != Process::Stage::running)
        throw Failure(code::kDominoNotOpen, Phase::runtime, "no Domino runtime is open in this process");
    return state.library->api();
}

bool terminate(std::chrono::milliseconds timeout) noexcept {
    Process& state = process();
    std::unique_lock lock(state.mutex);
    if (state.stage == Process::Stage::running) {
        state.stage = Process::Stage::terminating;
        state.changed.notify_all();
        state.changed.wait_for(lock, timeout, [&] { return state.stage == Process::Stage::terminated; });
    }
    return state.stage == Process::Stage::none || state.stage == Process::Stage::terminated;
}

}  // namespace runtime

namespace {

/// False once the runtime is terminating.
bool becomeMember() {
    Process& state = process();
    const std::lock_guard lock(state.mutex);
    if (state.stage != Process::Stage::running) return false;
    ++state.members;
    return true;
}

void leaveMembership() {
    Process& state = process();
    const std::lock_guard lock(state.mutex);
    --state.members;
    state.changed.notify_all();
}

}  // namespace

RuntimeThread::RuntimeThread(const Api& api) : api_(api) {
    if (!becomeMember())
        throw Failure(code::kDominoNotOpen, Phase::runtime, "the Domino runtime of this process is ending");
    CurrentCall::note("NotesInitThread");
    if (const STATUS status = api.NotesInitThread(); errorCode(status) != 0) {
        leaveMembership();
        require(api, status, "NotesInitThread", Phase::runtime, "");
    }
}

RuntimeThread::~RuntimeThread() {
    api_.NotesTermThread();
    leaveMembership();
}

CallStatus RuntimeThread::enter(const Api& api, std::unique_ptr<engine::ThreadScope>& scope) noexcept {
    if (!becomeMember()) return {code::kDominoNotOpen, "NotesInitThread", Domain::engine, 0};
    const CallStatus status = callStatus(api.NotesInitThread(), "NotesInitThread");
    if (!status.ok()) {
        leaveMembership();
        return status;
    }
    scope.reset(new (std::nothrow) RuntimeThread(api, Entered{}));
    if (scope) return {};
    api.NotesTermThread();
    leaveMembership();
    return systemStatus(code::kDominoCall, "NotesInitThread", systemErrorOf(std::errc::not_enough_memory));
}

Failure describe(const Api& api, const CallStatus& status, Phase phase, std::string subject) {
    Failure failure = describeStatus(status, phase, std::move(subject));
    if (status.domain != Domain::domino) return failure;
    const auto number = static_cast<STATUS>(status.status);
    failure.statusName = statusName(number);
    failure.text = ownText(number);
    if (!failure.text.empty()) return failure;
    std::array<char, 1024> buffer{};
    const WORD length = api.OSLoadString(nullptr, number, buffer.data(), static_cast<WORD>(buffer.size() - 1));
    try {
        failure.text = length > 0 ? fromLmbcs(api, {buffer.data(), length}) : "no text for this status";
    } catch (const Failure&) {
        // A text that cannot be converted must not hide the error that it describes.
        failure.text = "the text of this status cannot be converted";
    }
    return failure;
}

void require(const Api& api, STATUS status, const char* operation, Phase phase, const std::string& subject) {
    const CallStatus result = callStatus(status, operation);
    if (!result.ok()) throw describe(api, result, phase, subject);
}

}  // namespace domino_vss::domino
