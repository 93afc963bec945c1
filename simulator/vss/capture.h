#pragma once
// The contents of a volume at the instant of the commit.

#include <string>
#include <vector>

#include "operation.h"
#include "volumes.h"

namespace vss_simulator {

struct CaptureTarget {
    Volume volume;
    /** The device object under which the contents become readable. */
    std::wstring device;
    /** True if writers may change it afterwards; otherwise it is write protected before any writer continues. */
    bool isWritable = false;
};

/**
 * Flush, hold, commit: stops the writers that follow the rule in README.md ("Holding writes"), copies, and releases
 * them. Throws VSS_E_FLUSH_WRITES_TIMEOUT, VSS_E_HOLD_WRITES_TIMEOUT, the fault of a phase, or the cancellation.
 * Returns the instant as a FILETIME.
 */
LONGLONG capture(const std::vector<CaptureTarget>& targets, Operation& operation);

/** Restores the volume to the state that capture() took; later files are removed. */
void revert(const CaptureTarget& source);

}  // namespace vss_simulator
