#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "system/windows_resources.h"

namespace domino_vss {

/// A program that is controlled by lines of UTF-8 text. Windows only. Not thread-safe. The destructor closes the
/// program's input but does not end the program.
class ChildProcess {
public:
    /// The pipe buffer size: how much can be written to a program that does not read.
    static constexpr std::size_t kPipeBytes = 65'536;

    /// Calls CreateProcess. Throws Failure.
    explicit ChildProcess(const std::string& commandLine);
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    ~ChildProcess() = default;

    /// Returns false if the line could not be written. Blocks if more than kPipeBytes are unread.
    [[nodiscard]] bool say(const std::string& line) noexcept;
    /// The next line; empty if the program has ended without one, or at the deadline.
    [[nodiscard]] std::optional<std::string> nextLine(std::chrono::steady_clock::time_point deadline);
    [[nodiscard]] bool hasEnded() const noexcept;
    /// Closes the program's input.
    void endInput() noexcept { input_.reset(); }
    [[nodiscard]] bool awaitEnd(std::chrono::milliseconds patience) const noexcept;
    /// Calls TerminateProcess.
    void kill() noexcept;

private:
    unique_handle process_;
    unique_handle input_;
    unique_handle output_;
    std::string unfinished_;
};

}  // namespace domino_vss
