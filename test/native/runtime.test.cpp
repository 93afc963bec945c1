// The one Domino runtime of a process: which libraries are loaded, and how it starts, is used and ends. Each case is a
// process of its own, because none can have two.

#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "domino/library.h"
#include "domino/runtime.h"
#include "domino/status.h"
#include "scratch.h"

namespace {

using namespace domino_vss;
using namespace domino_vss::domino;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// What the stand-in answers, and what it was asked.
struct Script {
    std::mutex mutex;
    std::condition_variable asked;
    std::map<std::string, std::deque<STATUS>> answers;
    std::vector<std::string> calls;
    std::string dataDirectory = "/data";
    std::string serverName = "CN=Server/O=Org";

    [[nodiscard]] std::size_t count(const std::string& function) {
        const std::lock_guard lock(mutex);
        return static_cast<std::size_t>(std::ranges::count(calls, function));
    }
    void waitFor(const std::string& function) {
        std::unique_lock lock(mutex);
        CHECK(asked.wait_for(lock, seconds(20), [&] { return std::ranges::count(calls, function) > 0; }));
    }
};

Script& script() {
    static auto* const instance = new Script;  // the runtime ends after static objects
    return *instance;
}

bool memoryIsFull = false;

}  // namespace

extern "C" __attribute__((visibility("default"))) std::uint16_t answerOf(const char* function, char* text) {
    const std::lock_guard lock(script().mutex);
    script().calls.emplace_back(function);
    script().asked.notify_all();
    std::deque<STATUS>& next = script().answers[function];
    const STATUS status = next.empty() ? STATUS{0} : next.front();
    if (!next.empty()) next.pop_front();
    if (text == nullptr || status != 0) return status;
    const bool asksForDirectory = function == std::string_view("OSGetDataDirectory");
    const std::string& answer = asksForDirectory ? script().dataDirectory : script().serverName;
    std::strcpy(text, answer.c_str());
    return asksForDirectory ? static_cast<STATUS>(answer.size()) : STATUS{0};
}

/// AddressSanitizer cannot have its own functions bypassed.
extern "C" void* dlopen(const char* file, int flags) noexcept {
    using Open = void*(const char*, int);
    return reinterpret_cast<Open*>(::dlsym(RTLD_NEXT, "dlopen"))(file, flags & ~RTLD_DEEPBIND);
}

void* operator new(std::size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
    return memoryIsFull ? nullptr : ::operator new(bytes);
}

namespace {

const RuntimeOptions kOptions{STAND_IN_DIRECTORY "/complete", "/data/notes.ini", true};

std::function<void()> inChild(void (*body)()) {
    return [body] {
        const pid_t child = ::fork();
        CHECK(child >= 0);
        if (child == 0) {
            body();
            std::exit(0);
        }
        int status = 0;
        CHECK(::waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    };
}

std::optional<Failure> failureOf(const std::function<void()>& work) {
    try {
        work();
    } catch (const Failure& failure) {
        return failure;
    }
    return std::nullopt;
}

/// The failure to open it, which there must be.
Failure refused(const RuntimeOptions& options) {
    const auto failure = failureOf([&] { static_cast<void>(runtime::open(options)); });
    CHECK(failure && failure->phase == Phase::runtime && runtime::current() == nullptr);
    return *failure;
}

/// A directory with a library that has these bytes changed.
class Changed : public scratch::Directory {
public:
    explicit Changed(const std::function<void(std::string&)>& change) {
        std::string content = scratch::read(STAND_IN_DIRECTORY "/complete/libnotes.so");
        change(content);
        std::filesystem::create_directory(at("program"));
        scratch::write(file(), content);
    }
    [[nodiscard]] std::string file() const { return at("program/libnotes.so"); }
    [[nodiscard]] RuntimeOptions options(bool trusted) const { return {at("program"), "/data/notes.ini", trusted}; }
    [[nodiscard]] std::string refusal() const { return refused(options(true)).code; }
};

void refusesWhatIsNoLibrary() {
    CHECK(refused({"relative", "/data/notes.ini", true}).text == "the program directory must be an absolute path");
    const auto missing = refused({"/missing", "/data/notes.ini", false});
    CHECK(missing.code == std::string(code::kDominoLibrary) && missing.operation == "realpath");
    CHECK(Changed([](std::string& content) { content = "no library"; }).refusal() == code::kDominoLibrary);
    CHECK(Changed([](std::string& content) { content[4] = 1; }).refusal() == code::kDominoBitness);
    CHECK(Changed([](std::string& content) { content[18] = '\xB7'; }).refusal() == code::kDominoBitness);  // of ARM
    const Changed orphan([](std::string& content) {
        for (std::size_t at = 0; (at = content.find("libc.so.6", at)) != std::string::npos; ++at) content[at + 3] = 'q';
    });
    CHECK(orphan.refusal() == code::kDominoEnvironment);
    CHECK(refused(orphan.options(true)).text.find("libq.so.6") != std::string::npos);
    const Failure old = refused({STAND_IN_DIRECTORY "/broken", "/data/notes.ini", true});
    CHECK(old.code == std::string(code::kDominoLibrary) && old.text == "functions are missing: NotesTerm, OSTranslate");
    // None of them keeps a right one from being opened.
    CHECK(runtime::open(kOptions).serverName == "CN=Server/O=Org");
}

void refusesWhatOthersCanReplace() {
    const Changed program([](std::string&) {});
    const auto refusal = [&](const std::string& path, mode_t mode) {
        struct stat before {};
        CHECK(::stat(path.c_str(), &before) == 0 && ::chmod(path.c_str(), mode) == 0);
        const auto failure = failureOf([&] { requireTrustedFile(program.file()); });
        CHECK(::chmod(path.c_str(), before.st_mode & 07777U) == 0);
        CHECK(!failure || (failure->code == std::string(code::kDominoLibraryUnsafe) && failure->subject == path));
        return failure ? failure->text : "";
    };
    const std::string directory = program.at("program");
    std::string ancestor = program.at("");
    ancestor.pop_back();
    CHECK(refusal(program.file(), 0755).empty());
    CHECK(refusal(program.file(), 0777).ends_with(": chmod o-w '" + program.file() + "'"));
    CHECK(refusal(directory, 0777).ends_with(": chmod o-w '" + directory + "'"));
    CHECK(!refusal(directory, 01777).empty());  // others can add what the library needs
    CHECK(!refusal(ancestor, 0777).empty() && refusal(ancestor, 01777).empty());
    CHECK(refusal(program.file(), 0775).empty());  // of our own group
    if (::geteuid() != 0) return;
    CHECK(::chown(program.file().c_str(), 0, 4711) == 0 && refusal(program.file(), 0755).empty());
    CHECK(refusal(program.file(), 0775).ends_with(": chmod g-w '" + program.file() + "'"));
    CHECK(refusal(program.file(), 0777).ends_with(": chmod go-w '" + program.file() + "'"));
    CHECK(::chown(program.file().c_str(), 4711, 0) == 0);
    CHECK(refusal(program.file(), 0755).ends_with("not loaded: chown root '" + program.file() + "'"));
    CHECK(refused(program.options(false)).code == std::string(code::kDominoLibraryUnsafe));
    CHECK(runtime::open(program.options(true)).dataDirectory == "/data");
}

void sharesNoLibraryWithOthers() {
    void* const theirs = ::dlopen(STAND_IN_DIRECTORY "/complete/libnotes.so", RTLD_NOW | RTLD_LOCAL);
    CHECK(theirs != nullptr && refused(kOptions).code == std::string(code::kDominoRuntimeBusy));
    CHECK(script().calls.empty() && ::dlclose(theirs) == 0);
    CHECK(runtime::open(kOptions).options.notesIni == "/data/notes.ini");
}

void opensOnce() {
    std::atexit([] {
        if (script().count("NotesTerm") != 1) ::_exit(3);
    });
    CHECK(runtime::terminate(milliseconds(0)) && runtime::current() == nullptr);
    CHECK(failureOf([] { static_cast<void>(runtime::api()); })->code == std::string(code::kDominoNotOpen));
    const RuntimeInfo info = runtime::open(kOptions);
    CHECK(info.dataDirectory == "/data" && info.serverName == "CN=Server/O=Org");
    CHECK(std::ranges::count(info.missingFunctions, "NSFBeginArchivingLogs") == 1);
    CHECK(std::ranges::count(info.missingFunctions, "NSFDbModifiedTime") == 0);
    CHECK(runtime::open(kOptions).dataDirectory == "/data" && script().count("NotesInitExtended") == 1);
    CHECK(runtime::current()->dataDirectory == "/data" && runtime::api().NSFDbOpen != nullptr);
    for (const RuntimeOptions& other : {RuntimeOptions{kOptions.programDirectory, "/other/notes.ini", true},
                                        RuntimeOptions{"/other", kOptions.notesIni, true}}) {
        const auto failure = failureOf([&] { static_cast<void>(runtime::open(other)); });
        CHECK(failure && failure->code == std::string(code::kDominoRuntimeBusy));
        CHECK(failure->text.find("/data/notes.ini") != std::string::npos && failure->subject == other.notesIni);
    }
    // Its end, with the process, calls NotesTerm.
}

void endsOnce() {
    static_cast<void>(runtime::open(kOptions));
    CHECK(runtime::terminate(seconds(20)) && script().count("NotesTerm") == 1);
    CHECK(runtime::terminate(seconds(20)) && script().count("NotesTerm") == 1);
    CHECK(refused(kOptions).code == std::string(code::kDominoRuntimeBusy));
    CHECK(failureOf([] { static_cast<void>(runtime::api()); })->code == std::string(code::kDominoNotOpen));
}

void startsAgainAfterItDidNot() {
    const std::vector<std::pair<STATUS, const char*>> codes{{0x01A5, code::kDominoNotesIni},
                                                            {0x01ED, code::kDominoUser},
                                                            {0x01BF, code::kDominoInit},
                                                            {0x0106, code::kDominoInit}};
    for (const auto& [number, expected] : codes) {
        script().answers["NotesInitExtended"] = {static_cast<STATUS>(number | 0x8000)};
        const Failure failure = refused(kOptions);
        CHECK(failure.code == std::string(expected) && failure.status == number);
        CHECK(failure.operation == "NotesInitExtended" && failure.domain == Domain::domino);
        CHECK(failure.statusName == statusName(number) && failure.subject == kOptions.notesIni);
        CHECK(failure.text == (ownText(number).empty() ? "the Domino runtime did not start" : ownText(number)));
    }
    CHECK(runtime::terminate(milliseconds(0)) && script().count("NotesTerm") == 0);
    CHECK(runtime::open(kOptions).dataDirectory == "/data");
}

/// Its data directory cannot be told, so nobody could use it.
void endsWhatCannotBeDescribed() {
    script().dataDirectory = "/\x8F";
    CHECK(refused(kOptions).code == std::string(code::kDominoInit) && script().count("NotesTerm") == 1);
    CHECK(refused(kOptions).code == std::string(code::kDominoRuntimeBusy) && runtime::terminate(milliseconds(0)));
}

void doesWithoutTheServersName() {
    script().answers["SECKFMGetUserName"] = {0x0110};
    CHECK(runtime::open(kOptions).serverName.empty());
}

void doesWithoutFunctionsOfLaterReleases() {
    const RuntimeInfo info = runtime::open({STAND_IN_DIRECTORY "/old", "/data/notes.ini", true});
    CHECK(info.serverName.empty() && std::ranges::count(info.missingFunctions, "SECKFMGetUserName") == 1);
    CHECK(std::ranges::count(info.missingFunctions, "NSFDbModifiedTime") == 1);
}

void letsThreadsIn() {
    const Api none{};
    const auto early = failureOf([&] { const RuntimeThread thread(none); });
    CHECK(early && early->code == std::string(code::kDominoNotOpen));
    static_cast<void>(runtime::open(kOptions));
    const Api& api = runtime::api();
    std::unique_ptr<engine::ThreadScope> scope;

    script().answers["NotesInitThread"] = {0x0117, 0x0117};
    const auto thrown = failureOf([&] { const RuntimeThread thread(api); });
    CHECK(thrown && thrown->operation == "NotesInitThread" && thrown->status == 0x0117);
    const CallStatus returned = RuntimeThread::enter(api, scope);
    CHECK(!scope && returned.operation == std::string("NotesInitThread") && returned.status == 0x0117);
    CHECK(script().count("NotesTermThread") == 0);

    memoryIsFull = true;
    const CallStatus full = RuntimeThread::enter(api, scope);
    memoryIsFull = false;
    CHECK(!scope && full.domain == Domain::system && script().count("NotesTermThread") == 1);

    CHECK(RuntimeThread::enter(api, scope).ok() && scope);
    scope.reset();
    { const RuntimeThread thread(api); }
    CHECK(script().count("NotesTermThread") == 3);
    // None of them counts as a thread that is still inside.
    CHECK(runtime::terminate(seconds(20)));
    CHECK(RuntimeThread::enter(api, scope).code == std::string(code::kDominoNotOpen) && !scope);
}

void doesNotEndUnderAThread() {
    static_cast<void>(runtime::open(kOptions));
    const Api& api = runtime::api();
    {
        const RuntimeThread inside(api);
        CHECK(!runtime::terminate(milliseconds(20)) && script().count("NotesTerm") == 0);
        std::unique_ptr<engine::ThreadScope> scope;
        CHECK(!RuntimeThread::enter(api, scope).ok() && !runtime::terminate(milliseconds(20)));
    }
    script().waitFor("NotesTerm");
}

}  // namespace

int main() {
    return check::run({
        {"what is no library of Domino is refused", inChild(refusesWhatIsNoLibrary)},
        {"a library that others can replace is refused", inChild(refusesWhatOthersCanReplace)},
        {"a library that others have loaded is not shared", inChild(sharesNoLibraryWithOthers)},
        {"the runtime is opened once, and ends with the process", inChild(opensOnce)},
        {"the runtime is ended once", inChild(endsOnce)},
        {"a start that failed can be tried again", inChild(startsAgainAfterItDidNot)},
        {"a runtime that cannot be described is ended", inChild(endsWhatCannotBeDescribed)},
        {"the server's name may be unknown", inChild(doesWithoutTheServersName)},
        {"functions of later releases may be missing", inChild(doesWithoutFunctionsOfLaterReleases)},
        {"threads enter and leave", inChild(letsThreadsIn)},
        {"the runtime does not end under a thread", inChild(doesNotEndUnderAThread)},
    });
}
