#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace domino_vss::service {

// This process as a service of Windows, under the Service Control Manager that has started it. One service a process.

enum class HostedState : std::uint8_t { starting, running, stopping, stopped };

/// Answers the manager, which then takes the service for one that is starting. `stopRequested` is called on a thread of
/// the manager, when the service or the machine is to stop; it must return at once. Throws Failure when the manager has
/// not started this process, or does not answer within `patience`.
void hostService(const std::string& name, std::function<void()> stopRequested, std::chrono::milliseconds patience);

/// Tells the manager. `waitHintMs`: how long the next change may take, for states that end by themselves. `exitCode`:
/// of a service that has stopped; another one than 0 is a failure, after which the manager may start it again.
void reportHosted(HostedState state, std::uint32_t waitHintMs, std::uint32_t exitCode);

}  // namespace domino_vss::service
