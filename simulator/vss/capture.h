#pragma once
// What a volume holds at the instant of the commit.

#include <string>
#include <vector>

#include "operation.h"
#include "volumes.h"

namespace vss_simulator {

struct CaptureTarget {
    Volume volume;
    /** Device object the contents become readable under. */
    std::wstring device;
    /** Writers may change it afterwards; otherwise it is write protected before any of them goes on. */
    bool isWritable = false;
};

/**
 * Flush, hold, commit: stops the writers that follow the rule of README.md ("Holding writes"), copies, lets them go.
 * Throws VSS_E_FLUSH_WRITES_TIMEOUT, VSS_E_HOLD_WRITES_TIMEOUT, the fault of a phase, or what cancelling throws.
 * Answers the instant, as a FILETIME.
 */
LONGLONG capture(const std::vector<CaptureTarget>& targets, Operation& operation);

/** Puts back what capture() took from the volume; what came since goes. */
void revert(const CaptureTarget& source);

}  // namespace vss_simulator
