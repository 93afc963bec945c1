#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "shadow/vss/writer_handlers.h"
#include "system/child_process.h"

namespace domino_vss::vss {

struct RestoreProcessOptions {
    /// The program with its arguments, quoted as Windows has it: lib/restore/requester-program.ts.
    std::string commandLine;
    /// For its answer to either event; it has a limit of its own, which is shorter.
    std::chrono::milliseconds patience{};
};

enum class RestoreMoment : std::uint8_t { begun, refused, ended, failed };

/// A restore by a requester, done by a program of its own: a handler of VSS waits for it and not for JavaScript of this
/// process, and one that hangs is ended. The program puts back what it can when this process dies. Windows only.
class RestoreProcess final : public RestoreWork {
public:
    /// Hears how a restore has gone, with the report of the program where there is one; must return at once.
    using Listener = std::function<void(RestoreMoment moment, const Verdict& verdict, const std::string& report)>;

    RestoreProcess(RestoreProcessOptions options, Listener listener);

    [[nodiscard]] RestoreVerdict preRestore(const RequestedRestore& restore) override;
    [[nodiscard]] RestoreVerdict postRestore(const RequestedRestore& restore) override;
    void shutdown(const Guid& session) noexcept override;
    void close() noexcept override;

private:
    /// Tells the program lines, which must fit into its pipe: a program that does not read must not hold up a handler.
    [[nodiscard]] bool say(const std::vector<std::string>& lines);
    /// Ends the input of the program, and tells the listener what it has put back and what it could not. Under mutex_.
    void giveUp() noexcept;
    /// The answer of the program; ends it when there is none.
    [[nodiscard]] RestoreVerdict answer(ChildProcess& program, std::string& report);

    const RestoreProcessOptions options_;
    const Listener listener_;
    std::atomic<bool> closed_ = false;
    std::mutex mutex_;                       // held while the program is waited for
    std::unique_ptr<ChildProcess> program_;  // guarded by mutex_; from PreRestore to PostRestore
    Guid session_;                           // guarded by mutex_; of the requester whose restore that is
};

}  // namespace domino_vss::vss
