#pragma once

namespace domino_vss {

/// Ends the process at once: no destructors, no handlers, no lock of the loader.
[[noreturn]] void endProcess(int exitCode) noexcept;

}  // namespace domino_vss
