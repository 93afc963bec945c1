#pragma once

namespace domino_vss {

/// Ends the process at once: no destructors, no exit handlers, no loader lock.
[[noreturn]] void endProcess(int exitCode) noexcept;

}  // namespace domino_vss
