#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace bench {

/// When one database was put into backup mode and taken out of it.
struct Times {
    std::int64_t startCalledNs = 0;
    std::int64_t startReturnedNs = 0;
    std::int64_t stopCalledNs = 0;
    std::int64_t stopReturnedNs = 0;
    double writes = 1;  ///< how much is written to it, in any unit
};

/// What one freeze window cost.
struct Window {
    double windowMs = 0;
    double startSumMs = 0;
    double stopSumMs = 0;
    double shadowMs = 0;
    double skewMs = 0;
    double databaseMs = 0;  ///< one database in backup mode, on average
    double writeMs = 0;     ///< the same, each database weighted by what is written to it
    std::int64_t firstStartNs = INT64_MAX;
};

inline Window measure(const std::vector<Times>& databases, double shadowMs) {
    Window window;
    window.shadowMs = shadowMs;
    std::int64_t firstReturned = INT64_MAX;
    std::int64_t lastReturned = INT64_MIN;
    std::int64_t lastStop = INT64_MIN;
    double writes = 0;
    for (const Times& times : databases) {
        window.firstStartNs = std::min(window.firstStartNs, times.startCalledNs);
        firstReturned = std::min(firstReturned, times.startReturnedNs);
        lastReturned = std::max(lastReturned, times.startReturnedNs);
        lastStop = std::max(lastStop, times.stopReturnedNs);
        window.startSumMs += static_cast<double>(times.startReturnedNs - times.startCalledNs) / 1e6;
        window.databaseMs += static_cast<double>(times.stopReturnedNs - times.startCalledNs) / 1e6 /
                             static_cast<double>(databases.size());
        window.writeMs += times.writes * static_cast<double>(times.stopReturnedNs - times.startCalledNs) / 1e6;
        writes += times.writes;
        window.stopSumMs += static_cast<double>(times.stopReturnedNs - times.stopCalledNs) / 1e6;
    }
    window.writeMs /= writes;
    window.windowMs = static_cast<double>(lastStop - window.firstStartNs) / 1e6;
    window.skewMs = static_cast<double>(lastReturned - firstReturned) / 1e6;
    return window;
}

}  // namespace bench
