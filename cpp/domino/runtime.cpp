#include "domino/runtime.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <utility>

#include "domino/library.h"
#include "domino/lmbcs.h"
#include "domino/status.h"

namespace domino_vss::domino {

namespace {

using backup::Failure;
using backup::Phase;
namespace code = backup::code;

/// An ID with a password makes the runtime ask for it, on a terminal that nobody watches.
constexpr std::chrono::seconds kInitTimeout{60};
constexpr std::chrono::seconds kExitTimeout{5};

/// Lives until the process ends; the keeper thread uses it to the last.
struct Process {
    std::mutex openMutex;  // one open at a time

    std::mutex mutex;
    std::condition_variable changed;
    enum class Stage : std::uint8_t { none, starting, running, terminating, terminated } stage = Stage::none;
    std::optional<Failure> initFailure;
    std::unique_ptr<Library> library;
    std::unique_ptr<RuntimeInfo> info;
};

Process& process() {
    static auto* const instance = new Process;  // never destroyed: see Process
    return *instance;
}

Failure initFailure(const Api& api, STATUS status, const RuntimeOptions& options) {
    Failure failure = describe(api, {code::kDominoInit, "NotesInitExtended", backup::Domain::domino, errorCode(status)},
                               Phase::runtime, options.notesIni);
    switch (errorCode(status)) {
        case error::kNoNotesIni: failure.code = code::kDominoNotesIni; break;
        case error::kUserRoot: failure.code = code::kDominoUser; break;
        default: break;
    }
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

/// The keeper thread. The thread that initialises needs no NotesInitThread; it is also the one that terminates.
void keep(Process& state, const RuntimeOptions& options) {
    const Api& api = state.library->api();
    std::string program = options.programDirectory + "/domino-vss";
    std::string ini = "=" + options.notesIni;
    std::array<char*, 3> arguments{program.data(), ini.data(), nullptr};
    const STATUS status = api.NotesInitExtended(2, arguments.data());
    std::unique_lock lock(state.mutex);
    if (errorCode(status) != 0) {
        state.initFailure = initFailure(api, status, options);
        state.stage = Process::Stage::none;
        state.changed.notify_all();
        return;
    }
    state.info = std::make_unique<RuntimeInfo>(
        RuntimeInfo{options, dataDirectory(api), serverName(api), state.library->missingFunctions()});
    state.stage = Process::Stage::running;
    state.changed.notify_all();
    state.changed.wait(lock, [&] { return state.stage == Process::Stage::terminating; });
    lock.unlock();
    api.NotesTerm();
    lock.lock();
    state.stage = Process::Stage::terminated;
    state.changed.notify_all();
}

void terminateAtExit() {
    runtime::terminate(kExitTimeout);
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
    lock.unlock();
    state.library = Library::load(options.programDirectory);
    lock.lock();
    state.initFailure.reset();
    state.stage = Process::Stage::starting;
    std::thread(keep, std::ref(state), options).detach();
    const auto settled = [&] { return state.stage != Process::Stage::starting; };
    if (!state.changed.wait_for(lock, kInitTimeout, settled))
        throw Failure(code::kDominoInit, Phase::runtime,
                      "NotesInitExtended has not returned for 60 s; does the server ID ask for a password?",
                      options.notesIni);
    if (state.initFailure) throw *state.initFailure;
    // Registered after the library was loaded, so it runs before the library's own destructors.
    static const int kRegistered = std::atexit(terminateAtExit);
    static_cast<void>(kRegistered);
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

void terminate(std::chrono::milliseconds timeout) noexcept {
    Process& state = process();
    std::unique_lock lock(state.mutex);
    if (state.stage != Process::Stage::running) return;
    state.stage = Process::Stage::terminating;
    state.changed.notify_all();
    state.changed.wait_for(lock, timeout, [&] { return state.stage == Process::Stage::terminated; });
}

}  // namespace runtime

RuntimeThread::RuntimeThread(const Api& api) : api_(api) {
    require(api, api.NotesInitThread(), "NotesInitThread", Phase::runtime, "");
}

RuntimeThread::~RuntimeThread() {
    api_.NotesTermThread();
}

backup::CallStatus RuntimeThread::enter(const Api& api, std::unique_ptr<backup::ThreadScope>& scope) noexcept {
    const backup::CallStatus status = callStatus(api.NotesInitThread(), "NotesInitThread");
    if (!status.ok()) return status;
    scope.reset(new (std::nothrow) RuntimeThread(api, Entered{}));
    if (scope) return {};
    api.NotesTermThread();
    return backup::systemStatus(code::kDominoCall, "NotesInitThread", ENOMEM);
}

Failure describe(const Api& api, const backup::CallStatus& status, Phase phase, std::string subject) {
    Failure failure = backup::describeStatus(status, phase, std::move(subject));
    if (status.domain != backup::Domain::domino) return failure;
    const auto number = static_cast<STATUS>(status.status);
    failure.statusName = statusName(number);
    failure.text = ownText(number);
    if (!failure.text.empty()) return failure;
    std::array<char, 1024> buffer{};
    const WORD length = api.OSLoadString(nullptr, number, buffer.data(), static_cast<WORD>(buffer.size() - 1));
    failure.text = length > 0 ? fromLmbcs(api, {buffer.data(), length}) : "no text for this status";
    return failure;
}

void require(const Api& api, STATUS status, const char* operation, Phase phase, const std::string& subject) {
    const backup::CallStatus result = callStatus(status, operation);
    if (!result.ok()) throw describe(api, result, phase, subject);
}

}  // namespace domino_vss::domino
