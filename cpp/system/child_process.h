#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "system/windows_resources.h"

namespace domino_vss {

/// A program that is spoken to in lines, in UTF-8. Windows only. For one thread at a time. The program is not ended
/// with this object, but its input is: what it does then is its own affair.
class ChildProcess {
public:
    /// What can be said to a program that does not read.
    static constexpr std::size_t kPipeBytes = 65'536;

    /// CreateProcess. Throws Failure.
    explicit ChildProcess(const std::string& commandLine);
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    ~ChildProcess() = default;

    /// Whether it could be said. A program that reads nothing must not be told more than kPipeBytes.
    [[nodiscard]] bool say(const std::string& line) noexcept;
    /// The next line; empty when it has ended without one, or when the time is over.
    [[nodiscard]] std::optional<std::string> nextLine(std::chrono::steady_clock::time_point deadline);
    [[nodiscard]] bool hasEnded() const noexcept;
    /// There is nothing more to say.
    void endInput() noexcept { input_.reset(); }
    [[nodiscard]] bool awaitEnd(std::chrono::milliseconds patience) const noexcept;
    /// TerminateProcess.
    void kill() noexcept;

private:
    unique_handle process_;
    unique_handle input_;
    unique_handle output_;
    std::string unfinished_;
};

}  // namespace domino_vss
