#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace domino_vss::service {

// The Service Control Manager of Windows. Each function opens the service and returns without waiting for a change of
// its state; callers poll. All throw Failure with the Windows error and the service as subject.

/// The fields of SERVICE_STATUS_PROCESS that are needed to wait for a change.
struct ServiceStatus {
    std::uint32_t state = 0;  ///< SERVICE_STOPPED, …
    /// Grows while the service works on a request.
    std::uint32_t checkPoint = 0;
    /// How long the service expects to take until the check point grows or the state changes.
    std::uint32_t waitHintMs = 0;
    std::uint32_t exitCode = 0;  ///< a Windows error
    /// The service's own exit code if `exitCode` is ERROR_SERVICE_SPECIFIC_ERROR.
    std::uint32_t specificExitCode = 0;
};

[[nodiscard]] ServiceStatus queryService(const std::string& name);

/// Also requests the right to start the service: a service that we could not start again is not stopped.
void requestStop(const std::string& name);

void requestStart(const std::string& name);

/// Names of the running services that depend on this one.
[[nodiscard]] std::vector<std::string> runningDependents(const std::string& name);

}  // namespace domino_vss::service
