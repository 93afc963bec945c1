#pragma once
// Databases taken offline: remembered by path, for the file itself may be replaced meanwhile.

#include "environment.h"

namespace domino_sim {

bool isOffline(Partition& partition, const std::string& expandedPath);
void markOffline(Partition& partition, const std::string& expandedPath);
/** False if it was not offline. */
bool clearOffline(Partition& partition, const std::string& expandedPath);
void clearAllOffline(Partition& partition);

}  // namespace domino_sim
