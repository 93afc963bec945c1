#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "domino/c_api.h"
#include "engine/database.h"

namespace domino_vss::domino {

struct RuntimeOptions {
    std::string programDirectory;
    std::string notesIni;
    /// Load the library even if ordinary users could replace it.
    bool trustProgramDirectory = false;
};

struct RuntimeInfo {
    RuntimeOptions options;
    std::string dataDirectory;
    std::string serverName;
    std::vector<std::string> missingFunctions;
};

/// The Domino runtime of this process. There is at most one, because it can neither be started twice nor switched to
/// another notes.ini. A keeper thread initialises it and stays in it until the process ends, because the runtime
/// unloads with its last thread. See docs/decisions/one-domino-runtime-per-process.md
namespace runtime {

/// Loads and initialises the runtime; returns at once if it is already open with the same options. Throws Failure.
/// Waits up to 60 s for Domino.
[[nodiscard]] RuntimeInfo open(const RuntimeOptions& options);

/// nullptr before a successful open and after terminate.
[[nodiscard]] const RuntimeInfo* current() noexcept;

/// Throws Failure ERR_DOMINO_NOT_OPEN if there is no runtime.
[[nodiscard]] const Api& api();

/// Calls NotesTerm on the keeper thread and waits up to `timeout`. To the server, a process that exits without
/// NotesTerm looks like a crash. Returns true if no thread is left in Domino or its loader.
bool terminate(std::chrono::milliseconds timeout) noexcept;

}  // namespace runtime

/// The current thread's membership in the runtime.
class RuntimeThread final : public engine::ThreadScope {
public:
    /// Throws Failure.
    explicit RuntimeThread(const Api& api);
    RuntimeThread(const RuntimeThread&) = delete;
    RuntimeThread& operator=(const RuntimeThread&) = delete;
    ~RuntimeThread() override;

    /// The same without exceptions.
    [[nodiscard]] static CallStatus enter(const Api& api, std::unique_ptr<engine::ThreadScope>& scope) noexcept;

private:
    struct Entered {};
    RuntimeThread(const Api& api, Entered /*entered*/) noexcept : api_(api) {}

    const Api& api_;
};

/// Describes a status with the runtime's text. The calling thread should have entered the runtime.
[[nodiscard]] Failure describe(const Api& api, const CallStatus& status, Phase phase, std::string subject);

/// Throws the described failure if the call failed.
void require(const Api& api, STATUS status, const char* operation, Phase phase, const std::string& subject);

}  // namespace domino_vss::domino
