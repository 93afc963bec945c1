#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace domino_vss::service {

// The Service Control Manager of Windows. Each request opens the service anew and waits for no change of its state; who
// waits asks again. All throw Failure with the error of Windows and the service as subject.

/// SERVICE_STATUS_PROCESS, as far as somebody waits by it.
struct ServiceStatus {
    std::uint32_t state = 0;  ///< SERVICE_STOPPED, …
    /// Grows while the service works on what was asked of it.
    std::uint32_t checkPoint = 0;
    /// How long the service wants to take until the check point grows or the state changes.
    std::uint32_t waitHintMs = 0;
    std::uint32_t exitCode = 0;  ///< an error of Windows
    /// The service's own, when `exitCode` is ERROR_SERVICE_SPECIFIC_ERROR.
    std::uint32_t specificExitCode = 0;
};

[[nodiscard]] ServiceStatus queryService(const std::string& name);

/// Also asks for the right to start it: what cannot be started again is not stopped.
void requestStop(const std::string& name);

void requestStart(const std::string& name);

/// Names of the services that depend on this one and run.
[[nodiscard]] std::vector<std::string> runningDependents(const std::string& name);

}  // namespace domino_vss::service
