#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "shadow/vss/writer_handlers.h"
#include "system/abandonable_thread.h"
#include "system/child_process.h"

namespace domino_vss::vss {

struct RestoreProcessOptions {
    /// The program (lib/restore/requester-program.ts) and its arguments, quoted for Windows.
    std::string commandLine;
    /// How long to wait for its answer to either event. The program has a shorter limit of its own.
    std::chrono::milliseconds patience{};
};

enum class RestoreMoment : std::uint8_t { begun, refused, ended, failed };

/// A restore by a requester, done in a separate process. So the VSS event handler does not wait for JavaScript in this
/// process, and a restore that hangs can be killed. If this process dies, the program puts back what it can. Windows
/// only.
class RestoreProcess final : public RestoreWork {
public:
    /// Receives the outcome of a restore, with the program's report if there is one. Must return at once.
    using Listener = std::function<void(RestoreMoment moment, const Verdict& verdict, const std::string& report)>;

    RestoreProcess(RestoreProcessOptions options, Listener listener);
    RestoreProcess(const RestoreProcess&) = delete;
    RestoreProcess& operator=(const RestoreProcess&) = delete;
    ~RestoreProcess() override { close(); }

    [[nodiscard]] RestoreVerdict preRestore(const RequestedRestore& restore) override;
    [[nodiscard]] RestoreVerdict postRestore(const RequestedRestore& restore) override;
    void shutdown(const Guid& session) noexcept override;
    void close() noexcept override;

private:
    /// Sends lines to the program. They must fit into its pipe, so that a program that does not read cannot block a
    /// handler.
    [[nodiscard]] bool say(const std::vector<std::string>& lines);
    /// Closes the program's input, reports to the listener what was put back and what was not, and returns that. Call
    /// with mutex_ held.
    RestoreVerdict giveUp() noexcept;
    /// On a thread of its own: checks whether the program has ended by itself, because its time was over or it died.
    void watch();
    /// Reads the program's answer; kills the program if there is none.
    [[nodiscard]] RestoreVerdict answer(ChildProcess& program, std::string& report);

    /// A restore that has ended before its requester said so, and what that is to hear.
    struct Over {
        Guid session;
        RestoreVerdict verdict;
    };

    const RestoreProcessOptions options_;
    const Listener listener_;
    std::atomic<bool> closed_ = false;
    std::mutex mutex_;                            // held while waiting for the program
    std::unique_ptr<ChildProcess> program_;       // guarded by mutex_; exists from PreRestore to PostRestore
    Guid session_;                                // guarded by mutex_; the requester whose restore it is
    std::optional<Over> over_;                    // guarded by mutex_
    std::unique_ptr<AbandonableThread> watcher_;  // guarded by mutex_; from the first restore to close
    std::mutex closing_;
    std::condition_variable isClosing_;  // closed_ has been set under closing_
};

}  // namespace domino_vss::vss
