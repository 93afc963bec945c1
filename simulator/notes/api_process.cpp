// Initialisation and threads.

#include "api.h"

using namespace domino_sim;

namespace {

std::uint64_t initialise(Function function, std::span<const std::string> arguments) noexcept {
    try {
        Runtime::get().initialise(arguments);
    } catch (...) {
        return withNoise(statusOfCurrentException());
    }
    const Status status = beginCall(function, {}, ThreadRule::initialised);
    if (status != kNoError) {
        Runtime::get().terminate();
    }
    return withNoise(status);
}

}  // namespace

NOTES_API std::uint64_t NotesInitExtended(int argc, char** argv) {
    const std::vector<std::string> arguments(argv, argv + argc);
    return initialise("NotesInitExtended"_function, arguments);
}

NOTES_API std::uint64_t NotesInitIni(char* configFileName) {
    std::vector<std::string> arguments{""};
    if (configFileName != nullptr && configFileName[0] != 0) {
        arguments.push_back((configFileName[0] == '=' ? "" : "=") + std::string(configFileName));
    }
    return initialise("NotesInitIni"_function, arguments);
}

NOTES_API std::uint64_t NotesInit() {
    const std::vector<std::string> arguments{""};
    return initialise("NotesInit"_function, arguments);
}

NOTES_API void NotesTerm() {
    if (beginCall("NotesTerm"_function, {}, ThreadRule::anyThread) == kNoError) {
        try {
            Runtime::get().terminate();
        } catch (...) {
            panic("NotesTerm failed");
        }
    }
}

NOTES_API std::uint64_t NotesInitThread() {
    return callWithRule("NotesInitThread"_function, ThreadRule::anyThread, {}, [](Environment&) -> Status {
        Runtime::get().enterThread();
        return kNoError;
    });
}

NOTES_API void NotesTermThread() {
    if (beginCall("NotesTermThread"_function, {}, ThreadRule::initialised) == kNoError) {
        Runtime::get().leaveThread();
    }
}
