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
    /// Load the library even where ordinary users could replace it.
    bool trustProgramDirectory = false;
};

struct RuntimeInfo {
    RuntimeOptions options;
    std::string dataDirectory;
    std::string serverName;
    std::vector<std::string> missingFunctions;
};

/// The Domino runtime of this process: at most one, for it cannot be started twice nor pointed at another notes.ini. A
/// keeper thread initialises it and stays a member until the process ends, because the runtime unloads with its last
/// thread. See docs/decisions/one-domino-runtime-per-process.md
namespace runtime {

/// Loads and initialises; the same options again answer at once. Throws Failure. May take as long as Domino takes.
[[nodiscard]] RuntimeInfo open(const RuntimeOptions& options);

/// nullptr before a successful open and after terminate.
[[nodiscard]] const RuntimeInfo* current() noexcept;

/// Throws Failure (ERR_DOMINO_NOT_OPEN) when there is no runtime.
[[nodiscard]] const Api& api();

/// NotesTerm on the keeper thread, waited for within bounds: a process that leaves without it looks crashed to the
/// server. Returns whether no thread is left in Domino or its loader.
bool terminate(std::chrono::milliseconds timeout) noexcept;

}  // namespace runtime

/// Membership of the present thread in the runtime.
class RuntimeThread final : public engine::ThreadScope {
public:
    /// Throws Failure.
    explicit RuntimeThread(const Api& api);
    RuntimeThread(const RuntimeThread&) = delete;
    RuntimeThread& operator=(const RuntimeThread&) = delete;
    ~RuntimeThread() override;

    /// The same for places that must not throw.
    [[nodiscard]] static CallStatus enter(const Api& api, std::unique_ptr<engine::ThreadScope>& scope) noexcept;

private:
    struct Entered {};
    RuntimeThread(const Api& api, Entered /*entered*/) noexcept : api_(api) {}

    const Api& api_;
};

/// Describes a status with the runtime's own text. The calling thread should belong to the runtime.
[[nodiscard]] Failure describe(const Api& api, const CallStatus& status, Phase phase, std::string subject);

/// Throws the described failure unless the call succeeded.
void require(const Api& api, STATUS status, const char* operation, Phase phase, const std::string& subject);

}  // namespace domino_vss::domino
