#pragma once
// Faults and latencies: what a call does besides its work.

#include <functional>
#include <string>
#include <string_view>

#include "environment.h"

namespace domino_sim {

/** The database a call is about, as `mail/a.nsf`; asked for only when a fault or a latency depends on it. */
using SubjectName = std::function<std::string()>;

/** Matches `*` (any characters) and `?` (one). */
bool matchesGlob(std::string_view glob, std::string_view text);

/** A path as globs name it on every system. */
std::string withSlashes(std::string path);

/** Status of a fault that hits this call now, else kNoError. Hangs and deaths happen inside. */
Status sufferFaults(Environment& environment, Function function, bool after, const SubjectName& subject);

void spendLatency(Environment& environment, Function function, const SubjectName& subject);

/** `CALL[:nth[+]][@glob]=0xCODE|hang[:ms]|die[,after]`. Throws std::invalid_argument with a text for people. */
void addFault(Partition& partition, std::string_view specification);
void clearFaults(Partition& partition);

}  // namespace domino_sim
