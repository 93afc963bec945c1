#pragma once
// Faults and latencies: what a call does in addition to its work.

#include <functional>
#include <string>
#include <string_view>

#include "environment.h"

namespace domino_sim {

/** Returns the database of a call, as `mail/a.nsf`. Only called if a fault or latency depends on it. */
using SubjectName = std::function<std::string()>;

/** Matches `*` (any characters) and `?` (one character). */
bool matchesGlob(std::string_view glob, std::string_view text);

/** The form of a path that globs use on every system. */
std::string withSlashes(std::string path);

/** Returns the status of a fault that applies to this call, otherwise kNoError. Hangs and deaths happen inside. */
Status sufferFaults(Environment& environment, Function function, bool after, const SubjectName& subject);

void spendLatency(Environment& environment, Function function, const SubjectName& subject);

/** Parses `CALL[:nth[+]][@glob]=0xCODE|hang[:ms]|die[,after]`. Throws std::invalid_argument with a text for users. */
void addFault(Partition& partition, std::string_view specification);
void clearFaults(Partition& partition);

}  // namespace domino_sim
