#pragma once
// TIMEDATE: Innards[0] = hundredths of a second since midnight GMT, Innards[1] = Julian day and zone bits.

#include <chrono>
#include <string>

#include "types.h"

namespace domino_sim {

using SystemTime = std::chrono::sys_time<std::chrono::milliseconds>;

TimeDate timeDateOf(SystemTime time);
TimeDate currentTimeDate();
SystemTime systemTimeOf(const TimeDate& time);

/** Returns -1, 0 or 1. Compares the instant in GMT and ignores the zone bits. */
int compare(const TimeDate& left, const TimeDate& right);

/** A value that no other call in any process returns: time plus a counter, in the form of a TIMEDATE. */
TimeDate uniqueTimeDate();
Unid uniqueUnid();

/** `2026-03-01T12:00:00.120Z`, for reports. */
std::string isoText(const TimeDate& time);

/** `FFFFFFFF:00000000` with Innards[1] first, as replica ids are written. */
std::string idText(const TimeDate& id);
std::string idText(const Unid& id);

}  // namespace domino_sim
