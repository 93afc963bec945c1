#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace domino_vss::service {

// Runs this process as a Windows service, started by the Service Control Manager. One service per process.

enum class HostedState : std::uint8_t { starting, running, stopping, stopped };

/// Connects to the manager, which then considers the service as starting. `stopRequested` is called on a manager thread
/// when the service or the machine is about to stop; it must return at once. Throws Failure if the manager did not
/// start this process or does not answer within `patience`.
void hostService(const std::string& name, std::function<void()> stopRequested, std::chrono::milliseconds patience);

/// Reports the state to the manager. `waitHintMs`: how long the next change may take (pending states). `exitCode`: for
/// a stopped service; a value other than 0 is a failure, after which the manager may restart the service.
void reportHosted(HostedState state, std::uint32_t waitHintMs, std::uint32_t exitCode);

}  // namespace domino_vss::service
